"""The same figures for parts of a span: by symbol, by year, by volatility."""

from dataclasses import dataclass

from dlplugin.evaluation.plain import Number

__all__ = ["GroupScores"]


@dataclass(frozen=True)
class GroupScores:
    """One group of samples of a span.

    Attributes:
        kind: "symbol", "year" or "volatility".
        name: "AAPL", "2009", "calm".
        samples: How many.
        days: Calendar days with a sample.
        figures: By name; for numbers gain (share of the in-sample mean's squared error that is gone),
            correlation and hit rate; for classes accuracy and correlation.
        errors: Their standard errors.
    """

    kind: str
    name: str
    samples: int
    days: int
    figures: dict[str, Number]
    errors: dict[str, Number]
