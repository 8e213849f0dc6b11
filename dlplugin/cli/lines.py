"""Text in the lines of a terminal, and values as files hold them."""

import textwrap
from typing import Any

__all__ = ["fitted", "hanging", "typed"]

LEAST_ROOM = 16  # characters beside a label; where there are fewer, a text goes on below the label


def fitted(text: str, width: int | None, indent: int = 2) -> list[str]:
    """A text in lines of at most so many characters, all but the first indented; no word is broken."""
    if width is None or len(text) <= width:
        return [text]
    return textwrap.wrap(
        text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def hanging(label: str, text: str, width: int | None) -> list[str]:
    """A text beside its label, in lines of at most so many characters, one below the other."""
    indent = len(label) if width is None or width - len(label) >= LEAST_ROOM else 4
    return fitted(f"{label}{text}", width, indent)


def typed(value: Any) -> str:
    """A value as a file holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "none" if value is None else str(value)
