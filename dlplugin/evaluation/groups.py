"""The same figures for parts of a span: by symbol, by year, by volatility."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.evaluation.influences import correlation_influence, matthews_influence, r_squared_influence
from dlplugin.evaluation.metrics import correlation, hit_rate, r_squared
from dlplugin.evaluation.plain import Number
from dlplugin.evaluation.uncertainty import LINE, mean_with_error, share_with_error
from dlplugin.evaluation.values import FloatArray, OutputSamples

__all__ = [
    "CLASS_FIGURES",
    "FIGURES",
    "KINDS",
    "GroupScores",
    "Thresholds",
    "class_group_scores",
    "group_scores",
    "volatility_thresholds",
]

KINDS = ("symbol", "year", "volatility")
FIGURES = ("gain", "correlation", "hit_rate")
CLASS_FIGURES = ("accuracy", "correlation")
REGIMES = ("calm", "middle", "wild")
UNKNOWN = "unknown"
FEWEST_OF_ONE = 30  # in-sample samples of which a symbol's own thirds are made


@dataclass(frozen=True)
class GroupScores:
    """One group of samples of a span.

    Attributes:
        kind: "symbol", "year" or "volatility".
        name: "AAPL", "2009", "calm".
        samples: How many.
        days: Calendar days with a sample.
        figures: By name; for numbers gain (share of the in-sample mean's squared error that is gone),
            correlation and hit_rate; for classes accuracy and correlation (Matthews).
        errors: Their standard errors; NaN where the group has too few days to tell.
    """

    kind: str
    name: str
    samples: int
    days: int
    figures: dict[str, Number]
    errors: dict[str, Number]


@dataclass(frozen=True)
class Thresholds:
    """What parts calm, middle and wild: the thirds of the in-sample samples' volatility.

    Attributes:
        by_symbol: Lower and upper threshold, in percent, of each symbol with at least 30 in-sample samples.
        pooled: Those of all in-sample samples together, for other symbols; NaN where none is known.
    """

    by_symbol: dict[str, tuple[float, float]]
    pooled: tuple[float, float]


def volatility_thresholds(in_sample: OutputSamples) -> Thresholds:
    """Each symbol has thresholds of its own, so that a regime is a time, and not a kind of symbol."""
    known = np.isfinite(in_sample.volatility)
    volatility = in_sample.volatility[known]
    by_symbol = {
        name: _thirds(volatility[mine])
        for name, mine in _by_name(in_sample.symbols[known])
        if mine.sum() >= FEWEST_OF_ONE
    }
    return Thresholds(by_symbol, _thirds(volatility))


def group_scores(
    samples: OutputSamples, scale: FloatArray | float, thresholds: Thresholds
) -> tuple[GroupScores, ...]:
    """The figures of each symbol, year and volatility regime of an output that is a number.

    A sample's year is that of bar t, when its prediction is made, and its regime that of the 20-bar
    volatility known at t. Samples whose volatility is not known are a regime "unknown"; there are no regimes
    where it is known of no sample.

    Args:
        samples: One span, with the rule "in-sample mean".
        scale: What divides the output during training; (S,) where that differs by symbol.
        thresholds: Of the in-sample span.
    """
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(samples),))
    mean = samples.by_rule["in-sample mean"]
    found = []
    for kind, name, chosen in _groups(samples, thresholds):
        predicted, actual, unit = samples.predicted[chosen], samples.actual[chosen], scales[chosen]
        times, overlap = samples.times[chosen], samples.overlap
        figures = {
            "gain": r_squared(predicted, actual, mean[chosen], unit),
            "correlation": correlation(predicted, actual),
            "hit_rate": hit_rate(predicted, actual),
        }
        errors = dict.fromkeys(figures, float("nan"))
        if not np.isnan(figures["gain"]):
            squares = [np.square((each - actual) / unit) for each in (predicted, mean[chosen])]
            errors["gain"] = mean_with_error(r_squared_influence(*squares), times, overlap)[1]
        if not np.isnan(figures["correlation"]):
            influence = correlation_influence(predicted, actual)
            errors["correlation"] = mean_with_error(influence, times, overlap, LINE)[1]
        if not np.isnan(figures["hit_rate"]):
            hits = (np.sign(predicted) == np.sign(actual)).astype(np.float64)
            errors["hit_rate"] = share_with_error(hits, np.ones(len(hits)), times, overlap)[1]
        found.append(GroupScores(kind, name, len(actual), _days(times), figures, errors))
    return tuple(found)


def class_group_scores(
    samples: OutputSamples, classes: int, thresholds: Thresholds
) -> tuple[GroupScores, ...]:
    """The figures of each symbol, year and volatility regime of an output in classes; see `group_scores`.

    Args:
        samples: One span; predicted and actual are the numbers of classes.
        classes: C, how many there are.
        thresholds: Of the in-sample span.
    """
    found = []
    for kind, name, chosen in _groups(samples, thresholds):
        figures, errors = _class_figures(samples, chosen, classes)
        found.append(
            GroupScores(kind, name, int(chosen.sum()), _days(samples.times[chosen]), figures, errors)
        )
    return tuple(found)


def _class_figures(
    samples: OutputSamples, chosen: NDArray[np.bool_], classes: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Figures and errors of the chosen samples; NaN where one of their predictions failed."""
    predicted, times, overlap = samples.predicted[chosen], samples.times[chosen], samples.overlap
    figures = dict.fromkeys(CLASS_FIGURES, float("nan"))
    errors = dict(figures)
    if not np.isfinite(predicted).all():
        return figures, errors
    named, came = predicted.astype(np.int64), samples.actual[chosen].astype(np.int64)
    hits = (named == came).astype(np.float64)
    figures["accuracy"], errors["accuracy"] = share_with_error(hits, np.ones(len(hits)), times, overlap)
    if len(np.unique(named)) > 1 and len(np.unique(came)) > 1:
        counts = np.bincount(came * classes + named, minlength=classes**2).reshape(classes, classes)
        figures["correlation"] = _matthews(counts / len(named))
        if not hits.all():
            influence = matthews_influence(counts)[came, named]
            errors["correlation"] = mean_with_error(influence, times, overlap, LINE)[1]
    return figures, errors


def _groups(samples: OutputSamples, thresholds: Thresholds) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Kind, name and (S,) which samples, kinds in the order of `KINDS`."""
    for symbol, mine in _by_name(samples.symbols):
        yield "symbol", symbol, mine
    for year, mine in _by_name(samples.times.astype("datetime64[Y]")):
        yield "year", year, mine
    regimes = _regimes(samples, thresholds)
    if (regimes >= 0).any():
        for number, name in (*enumerate(REGIMES), (-1, UNKNOWN)):
            if (chosen := regimes == number).any():
                yield "volatility", name, chosen


def _regimes(samples: OutputSamples, thresholds: Thresholds) -> NDArray[np.int64]:
    """(S,) 0 calm, 1 middle, 2 wild, -1 unknown; a threshold itself belongs to the regime above it."""
    found = np.full(len(samples), -1)
    known = np.isfinite(samples.volatility)
    for symbol, mine in _by_name(samples.symbols):
        limits = thresholds.by_symbol.get(symbol, thresholds.pooled)
        if np.isfinite(limits).all():
            found[mine & known] = np.searchsorted(limits, samples.volatility[mine & known], side="right")
    return found


def _by_name(names: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each name, in order, with (S,) which samples are its."""
    unique, number = np.unique(names, return_inverse=True)
    for index, name in enumerate(unique):
        yield str(name), number == index


def _thirds(volatility: FloatArray) -> tuple[float, float]:
    if not len(volatility):
        return float("nan"), float("nan")
    low, high = np.quantile(volatility, [1 / 3, 2 / 3])
    return float(low), float(high)


def _matthews(shares: FloatArray) -> float:
    """Gorodkin's (2004), of the (C, C) shares of samples by class that came and class predicted."""
    came, named = shares.sum(axis=1), shares.sum(axis=0)
    return float((np.trace(shares) - came @ named) / np.sqrt((1 - came @ came) * (1 - named @ named)))


def _days(times: NDArray[np.datetime64]) -> int:
    return len(np.unique(times.astype("datetime64[D]")))
