"""The trivial rules' names, in the order in which they are listed everywhere."""

from collections.abc import Collection

__all__ = [
    "BOOSTING",
    "CLASS_RULES",
    "CONSTANTS",
    "DIRECTIONS",
    "FREQUENT",
    "LAST",
    "MEAN",
    "OWN_AVERAGE",
    "RIDGE",
    "RULES",
    "ZERO",
    "in_order",
]

MEAN, ZERO, LAST, FREQUENT = "in-sample mean", "zero", "last value", "most frequent class"
RIDGE, BOOSTING = "ridge", "gradient boosting"
DIRECTIONS = ("last return's sign", "last return reversed", "above 10-day mean", "below 10-day mean")
OWN_AVERAGE = "model's average"  # what the model predicts on average on the judged span: no rule, a constant
CONSTANTS = (MEAN, ZERO, OWN_AVERAGE)

RULES = (MEAN, ZERO, LAST, *DIRECTIONS, RIDGE, BOOSTING)
CLASS_RULES = (FREQUENT, LAST, *DIRECTIONS, RIDGE, BOOSTING)


def in_order(there: Collection[str]) -> tuple[str, ...]:
    """Those rules that are there, in the order of `RULES`, or of `CLASS_RULES`."""
    return tuple(rule for rule in dict.fromkeys((FREQUENT, *RULES)) if rule in there)
