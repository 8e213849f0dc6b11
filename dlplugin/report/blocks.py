"""What a report is made of: sections of charts, tables and sentences, in the order in which they are read.

The page shows all of it, Markdown the tables behind the charts instead of the charts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from dlplugin.report.charts import Figure

__all__ = [
    "Block",
    "Cell",
    "Chart",
    "Column",
    "Facts",
    "Group",
    "Heading",
    "Row",
    "Section",
    "Table",
    "Words",
    "row",
]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        text: What it says.
        small: What stands below it in small print: its error.
        class_: "faint" for what is inside its error, "gain-words", "loss-words".
        picture: What the page shows instead of the text.
    """

    text: str
    small: str = ""
    class_: str = ""
    picture: Markup | None = None

    @property
    def words(self) -> str:
        """All it says in one line."""
        return f"{self.text} {self.small}".strip()


@dataclass(frozen=True)
class Column:
    """A column's head; of the class "name" it holds words, "first" begins a group, "bars" holds pictures."""

    title: str
    class_: str = ""


@dataclass(frozen=True)
class Group:
    """What stands above several columns: a span, its dates, and what it holds."""

    title: str
    columns: int
    beside: str = ""
    class_: str = ""


@dataclass(frozen=True)
class Row:
    """Cells, the first of which names the row; of the class "model-row" it is the model's."""

    cells: Sequence[Cell]
    class_: str = ""


def row(*texts: "str | Cell", class_: str = "") -> Row:
    """A row of plain texts."""
    return Row([text if isinstance(text, Cell) else Cell(text) for text in texts], class_)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: Its class.
        title: What it shows.
        columns: Their heads.
        rows: What it holds.
        caption: What to know of it.
        groups: Heads above the heads.
        foot: Cells below.
        nothing: What is said where there are no rows.
        folded: What opens it, where it is folded away at first.
        wide: Whether it takes the page's width.
    """

    kind: ClassVar[str] = "table"

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""
    groups: Sequence[Group] = ()
    foot: Sequence[Cell] = ()
    nothing: str = ""
    folded: str = ""
    wide: bool = True


@dataclass(frozen=True)
class Chart:
    """A picture.

    Attributes:
        name: Its own on the page.
        title: What it shows.
        figure: The picture, or the sentence that says why there is none.
        reading: One sentence on how to read it, and others on what is behind it.
        class_: Colours the title as a span.
        wide: Whether it takes the page's width.
        table: The same figures, for Markdown.
    """

    kind: ClassVar[str] = "chart"

    name: str
    title: str
    figure: Figure
    reading: str = ""
    class_: str = ""
    wide: bool = True
    table: Table | None = None


@dataclass(frozen=True)
class Facts:
    """Names and what there is to say of each."""

    kind: ClassVar[str] = "facts"

    facts: Mapping[str, str]
    wide: bool = True


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"

    text: str
    class_: str = "said"
    wide: bool = True


@dataclass(frozen=True)
class Heading:
    """What the next blocks are about."""

    kind: ClassVar[str] = "heading"

    text: str
    beside: str = ""
    wide: bool = True


Block = Chart | Table | Facts | Words | Heading


@dataclass(frozen=True)
class Section:
    """A part of the report that has its own place in the navigation."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def rows(self) -> list[list[Block]]:
        """The blocks as they lie on the page: a wide one alone, others that follow each other in two columns."""
        found: list[list[Block]] = []
        for block in self.blocks:
            if found and not block.wide and not found[-1][0].wide:
                found[-1].append(block)
            else:
                found.append([block])
        return found
