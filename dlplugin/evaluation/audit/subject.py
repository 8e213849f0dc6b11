"""What is audited: a definition on a DataSet, with the spans, samples and weights there are."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.bars import DataSet
from dlplugin.definition import Definition
from dlplugin.errors import DLPluginWarning
from dlplugin.samples import Samples, Spans
from dlplugin.samples.parts import SymbolPart, symbol_parts
from dlplugin.store import Trained

if TYPE_CHECKING:
    from dlplugin.prediction import Predictor

__all__ = ["AuditOptions", "History", "Subject", "listed", "silent"]

PRICES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class AuditOptions:
    """How much work an audit does.

    Attributes:
        symbols: Most symbols whose bars are cut, altered and looked through; spread over the DataSet.
        cuts: How many places of each history are cut, beside those inside the warm-up.
        seconds: After which cutting and replaying bars end; what was done until then is told.
        training_samples: Most in-sample samples of each training on moved outputs.
        epochs: Of each training on moved outputs.
        training_seconds: After which such a training ends; its epochs until then count.
        seed: Of all that is drawn.
    """

    symbols: int = 16
    cuts: int = 8
    seconds: float = 10.0
    training_samples: int = 4000
    epochs: int = 12
    training_seconds: float = 8.0
    seed: int = 0


@dataclass(frozen=True)
class History:
    """The bars of one symbol, with those of the others that the definition reads.

    Attributes:
        symbol: Which.
        bars: (T, columns).
        others: Bars by symbol.
    """

    symbol: str
    bars: pd.DataFrame
    others: Mapping[str, pd.DataFrame]

    def until(self, last: int) -> "History":
        """As it was known at the close of bar `last`."""
        now = self.bars.index[last]
        others = {name: bars[bars.index <= now] for name, bars in self.others.items()}
        return History(self.symbol, self.bars.iloc[: last + 1], others)

    def since(self, first: int) -> "History":
        """As it is where all bars before bar `first` are missing."""
        begin = self.bars.index[first]
        others = {name: bars[bars.index >= begin] for name, bars in self.others.items()}
        return History(self.symbol, self.bars.iloc[first:], others)


@dataclass(frozen=True)
class Subject:
    """What the checks look at.

    Attributes:
        definition: The model's.
        dataset: The bars.
        validation: Another DataSet whose samples are out of sample, if there is one.
        spans: The dates of the training; of a draft, those that it would have.
        samples: Those of the dataset, scaled as the training did; of a draft, as it would.
        predictor: None for a draft.
        trained: None for a draft.
        same_data: Whether the dataset has the bars of the training; for a draft it has.
        options: How much work is done.
    """

    definition: Definition
    dataset: DataSet
    validation: DataSet | None
    spans: Spans
    samples: Samples
    predictor: "Predictor | None"
    trained: Trained | None
    same_data: bool
    options: AuditOptions

    @cached_property
    def chosen(self) -> tuple[str, ...]:
        """The symbols whose histories are looked at: all, or some that are spread over the DataSet."""
        symbols, most = self.dataset.symbols, self.options.symbols
        if len(symbols) <= most:
            return symbols
        places = np.linspace(0, len(symbols) - 1, most).round().astype(int)
        return tuple(symbols[place] for place in places)

    @property
    def which(self) -> str:
        """Those symbols in words."""
        chosen, there = len(self.chosen), len(self.dataset.symbols)
        if chosen < there:
            return f"{chosen} of {there} symbols"
        return listed(self.chosen) if chosen <= 3 else f"all {there} symbols"

    def histories(self) -> Iterator[History]:
        """The bars of the chosen symbols."""
        for symbol in self.chosen:
            yield self.history(symbol)

    def history(self, symbol: str) -> History:
        """The bars of one symbol of the DataSet."""
        return History(symbol, self.dataset[symbol], self._others)

    @cached_property
    def _others(self) -> dict[str, pd.DataFrame]:
        return {name: self.dataset[name] for name in self.definition.others if name in self.dataset}

    @cached_property
    def parts(self) -> list[SymbolPart]:
        """The raw columns of all symbols, in the order in which they are stacked."""
        return symbol_parts(self.definition, self.dataset, self.spans, self.validation)

    @property
    def last_seen(self) -> pd.Timestamp:
        """The last date whose outputs may be looked at: the holdout stays closed."""
        return max(span.end for span in self.spans.spans if span.name != "holdout")

    @property
    def seen(self) -> tuple[str, ...]:
        """The spans that have samples and are not the holdout."""
        rows = self.samples.rows
        return tuple(name for name in rows if name != "holdout" and len(rows[name]))

    def generator(self, salt: int) -> np.random.Generator:
        """Random numbers of a check's own."""
        return np.random.default_rng([self.options.seed, salt])


def price_of(bars: pd.DataFrame) -> NDArray[np.float64]:
    """(T,) adjusted close where there is one, else close."""
    return bars["adj_close" if "adj_close" in bars else "close"].to_numpy(dtype=np.float64)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in words, the first few of many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


@contextmanager
def silent() -> Iterator[None]:
    """Warnings about short histories and slow functions say nothing of a leak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DLPluginWarning)
        yield
