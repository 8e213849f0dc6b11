"""How well predictions order the symbols of one day: information coefficients."""

from dataclasses import dataclass

from dlplugin.evaluation.plain import Number

__all__ = ["CrossSection"]


@dataclass(frozen=True)
class CrossSection:
    """Information coefficients: correlations of predicted and actual across symbols, one a timestamp.

    Attributes:
        times: Timestamps that have one: three symbols at least, neither side constant.
        ic: Mean of Pearson's.
        ic_error: Its standard error.
        ic_ratio: ICIR: the mean over the standard deviation of the timestamps' values, not annualised.
        rank_ic: Mean of Spearman's.
        rank_ic_error: Its standard error.
        rank_ic_ratio: ICIR of the ranks.
    """

    times: int
    ic: Number
    ic_error: Number
    ic_ratio: Number
    rank_ic: Number
    rank_ic_error: Number
    rank_ic_ratio: Number
