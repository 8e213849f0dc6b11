"""Which samples are out of sample when dates alone do not say it: held-out symbols, another DataSet, a random share."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlplugin.bars import DataSet
from dlplugin.definition import Split
from dlplugin.errors import SamplesError
from dlplugin.registry import did_you_mean

__all__ = ["BY_DATES", "Validation", "chosen_validation", "refuse_training_symbols", "refuse_unfit_dataset"]

BoolArray = NDArray[np.bool_]
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Validation:
    """How out-of-sample samples are told from in-sample ones, beside their dates.

    Attributes:
        kind: "dates": by their dates alone. "symbols": they are those of held-out symbols. "dataset": they
            are those of another DataSet. "random": they are drawn.
        symbols: The held-out ones, or those of the other DataSet.
        dataset: Its name.
        share: Of the samples that are drawn.
        seed: Of the draw.
    """

    kind: Literal["dates", "symbols", "dataset", "random"] = "dates"
    symbols: tuple[str, ...] = ()
    dataset: str = ""
    share: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        if self.kind == "symbols":
            return f"by held-out symbols: {', '.join(self.symbols)}"
        if self.kind == "dataset":
            return f"by DataSet {self.dataset!r}: {', '.join(self.symbols)}"
        return "by dates" if self.kind == "dates" else f"random: {self.share * 100:g} %, seed {self.seed}"

    def trains(self, symbol: str, other: bool) -> bool:
        """Whether a symbol, of the other DataSet or not, has in-sample samples."""
        return not other and not (self.kind == "symbols" and symbol in self.symbols)

    def holds(self, span: str, symbol: str, times: Times, other: bool) -> BoolArray:
        """(T,) the samples of a symbol that a span may hold, if their dates are in it.

        Args:
            span: Its name.
            symbol: Whose samples.
            times: (T,) of their bars.
            other: Whether the symbol is one of the other DataSet's.
        """
        if span == "holdout" or self.kind == "dates":
            return np.full(len(times), not other)
        if self.kind == "random":
            drawn = self._drawn(symbol, times)
            return drawn if span == "out-of-sample" else ~drawn
        return np.full(len(times), self.trains(symbol, other) == (span == "in-sample"))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return vars(self) | {"symbols": list(self.symbols)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Validation":
        """The validation that `to_dict` wrote."""
        return cls(**{**plain, "symbols": tuple(plain["symbols"])})

    def _drawn(self, symbol: str, times: Times) -> BoolArray:
        """(T,) the drawn samples.

        Each is drawn by a hash of seed, symbol and time, and so stays what it was when other symbols or
        newer bars come. (Mixed by SplitMix64: Steele, Lea and Flood, 2014.)
        """
        key = hashlib.sha256(f"{self.seed} {symbol}".encode()).digest()[:8]
        mixed = times.astype("datetime64[ns]").view(np.uint64) ^ np.uint64(int.from_bytes(key, "little"))
        mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        uniform = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
        return uniform < self.share


BY_DATES = Validation()


def chosen_validation(split: Split, dataset: DataSet, other: DataSet | None) -> Validation:
    """What a split, or another DataSet to validate on, asks for.

    Raises:
        SamplesError: They ask for two kinds at once, or name symbols that cannot be held out.
    """
    if other is not None:
        asked = "held_out" if split.held_out else "random" if split.random is not None else ""
        if asked:
            raise SamplesError(
                f"validation is DataSet {other.name!r}, and the split has {asked}={getattr(split, asked)!r}; "
                "give one of them"
            )
        refuse_unfit_dataset(dataset, other)
        return Validation("dataset", other.symbols, other.name)
    if split.random is not None:
        return Validation("random", share=split.random, seed=split.random_seed)
    if not split.held_out:
        return BY_DATES
    for symbol in split.held_out:
        if symbol not in dataset:
            hint = did_you_mean(symbol, dataset.symbols) or f"; there are: {', '.join(dataset.symbols)}"
            raise SamplesError(f"held_out has {symbol!r}, which DataSet {dataset.name!r} does not have{hint}")
    if len(split.held_out) == len(dataset.symbols):
        raise SamplesError(
            f"held_out has all symbols of DataSet {dataset.name!r}: {', '.join(dataset.symbols)}; leave one to train on"
        )
    return Validation("symbols", tuple(split.held_out))


def refuse_unfit_dataset(dataset: DataSet, other: DataSet) -> None:
    """Another DataSet to validate on has bars of the same interval.

    Raises:
        SamplesError: It has not.
    """
    if not isinstance(other, DataSet):
        raise SamplesError(f"validation is a {type(other).__name__}; give a dl.DataSet")
    if other.interval != dataset.interval:
        raise SamplesError(
            f"DataSet {other.name!r} has bars of {other.interval}, but {dataset.name!r} of {dataset.interval}; "
            "validate on bars of the same interval"
        )


def refuse_training_symbols(dataset: DataSet, other: DataSet) -> None:
    """On the dates that train the weights another DataSet to validate on has other symbols.

    Raises:
        SamplesError: It has some of those that train, by name or by their bars.
    """
    bars = set(dataset.fingerprint.values())
    same = [symbol for symbol in other.symbols if symbol in dataset or other.fingerprint[symbol] in bars]
    if same:
        raise SamplesError(
            f"DataSet {other.name!r} is to validate on the days that train the weights, but {', '.join(same[:5])} "
            f"{'train' if len(same) > 1 else 'trains'} them, too; give out_of_sample= a share of the dates, or other "
            "symbols"
        )
