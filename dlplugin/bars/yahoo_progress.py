"""The progress of a fetch: a moving line on a terminal, one line at the end elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["FetchProgress"]


class FetchProgress:
    """How many symbols are there; a context manager around a fetch, for several threads.

    Args:
        symbols: How many there will be.
        console: Where to write; standard error when not given.
    """

    def __init__(self, symbols: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("Yahoo"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[symbol]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=symbols, symbol="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, symbol: str) -> None:
        """A symbol is looked for."""
        self._bar.update(self._task, symbol=symbol)

    def end(self) -> None:
        """A symbol has been found, or not."""
        self._bar.advance(self._task)

    def close(self, summary: str) -> None:
        """Takes the bar away and writes what happened."""
        self._bar.stop()
        self._console.print(summary, soft_wrap=True, highlight=False, markup=False)
