"""Phrases that the sentences on numbers and on classes share."""

from collections.abc import Callable, Sequence

from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.results import EvaluatedOutput

__all__ = ["WHERE", "listed", "others", "too_few", "written"]

MOST, MOST_DECIMALS = 1e7, 8
WHERE = {"out-of-sample": "out of sample", "holdout": "on the holdout"}


def too_few(output: EvaluatedOutput, where: str, days: int) -> str:
    """Why nothing can be told."""
    there = f"{days:,} days are" if days != 1 else "1 day is"
    bars = f"{output.look_ahead} bar{'s' if output.look_ahead != 1 else ''}"
    return f"the model beats nothing: {where} {there} too few to tell at a look ahead of {bars}"


def others(compared: Sequence[Comparison], gain: Callable[[Comparison], tuple[str, str]]) -> str:
    """What a model that beats the constants does beside the other rules: a clause, or nothing without any.

    Args:
        compared: With the other rules.
        gain: A difference and its error as text.
    """
    beaten = sorted((each for each in compared if each.beaten), key=lambda each: -each.difference)
    parts = [each.rule for each in beaten]
    if beaten:
        by, error = gain(beaten[-1])
        nearest = ", the nearest," if len(beaten) > 1 else ""
        parts[-1] += f"{nearest} by {by} (±{error})"
    unbeaten = []
    for each in (each for each in compared if not each.beaten):
        by, error = gain(each)
        stands = "which does better" if each.outcome == "worse" else "inside the error"
        unbeaten.append(f"{each.rule} ({by} ± {error}, {stands})")
    if not unbeaten:
        return f"; it also beats {listed(parts)}" if parts else ""
    also = f"it also beats {listed(parts)}, but not" if parts else "it does not beat"
    return f"; {also} {listed(unbeaten, 'nor')}"


def written(value: float, decimals: int) -> str:
    """A loss, in powers of ten where it has more digits than one reads.

    >>> written(0.70412, 3), written(976_775_680_522.0, 0), written(4.79e-13, 12)
    ('0.704', '9.768e11', '4.79e-13')
    """
    if decimals > MOST_DECIMALS or abs(value) >= MOST:
        whole, _, power = f"{value:.{3 if abs(value) >= MOST else 2}e}".partition("e")
        return f"{whole}e{int(power)}"
    return f"{value:,.{decimals}f}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Joined for reading.

    >>> listed(["a", "b", "c"]), listed(["a", "b"], "nor"), listed(["a"])
    ('a, b and c', 'a nor b', 'a')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
