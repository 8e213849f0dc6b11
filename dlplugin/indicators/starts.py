"""Functions whose values depend on where the history starts, and the forms in which they do not.

A total since the first bar, or a position counted from it, is another number on every history of
the same bars: a network trained on one would be fed another. A difference of two bars takes the
start out of a total, a ratio takes it out of a product, and nothing takes it out of VWAP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dlplugin.errors import ExpressionError
from dlplugin.indicators.builtins import Windowed
from dlplugin.indicators.calls import Pick, TalibCall
from dlplugin.indicators.nodes import Node

__all__ = ["START_DEPENDENT", "StartRule", "refuse_raw_starts"]


@dataclass(frozen=True)
class StartRule:
    """What takes the start of the history out of a function.

    Attributes:
        wrapper: The built-in function that does, as the direct caller; empty where none does.
        instead: What else measures the same, as a clause.
    """

    wrapper: str
    instead: str = ""


_TOTAL = StartRule("diff")
_PRODUCT = StartRule("pct_change")

START_DEPENDENT: Mapping[str, StartRule] = MappingProxyType(
    {
        "AD": _TOTAL,
        "CUMSUM": _TOTAL,
        "MAXINDEX": StartRule("diff", "AROON(30).aroonup for the bars since the highest"),
        "MININDEX": StartRule("diff", "AROON(30).aroondown for the bars since the lowest"),
        "MINMAXINDEX": StartRule("diff", "AROON(30) for the bars since the highest and lowest"),
        "NVI": _PRODUCT,
        "OBV": _TOTAL,
        "PVI": _PRODUCT,
        "PVT": _TOTAL,
        "VWAP": StartRule("", "VWMA(20) for an average of the last bars"),
        "WAD": _TOTAL,
    }
)


def refuse_raw_starts(root: Node) -> None:
    """Refuses a start-dependent function that stands elsewhere than in its accepted form.

    Raises:
        ExpressionError: With the form to write instead.
    """
    _visit(root, caller="", shown=root)


def _visit(step: Node, caller: str, shown: Node) -> None:
    rule = START_DEPENDENT.get(step.name) if isinstance(step, TalibCall) else None
    if isinstance(step, TalibCall) and rule is not None and (not rule.wrapper or rule.wrapper != caller):
        form = f"{rule.wrapper}({shown.text}, 5)" if rule.wrapper else ""
        advice = ", or ".join(filter(None, (form, rule.instead)))
        raise ExpressionError(f"{step.name} depends on where the history starts; write {advice}")
    for inner in step.elsewhere():
        _visit(inner, "", inner)
    for operand in step.operands():
        if isinstance(step, Pick):
            _visit(operand, caller, shown)
        else:
            _visit(operand, step.name if isinstance(step, Windowed) else "", operand)
