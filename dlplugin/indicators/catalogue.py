"""Everything an expression can call: one described entry for each function."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators.builtins import CALENDAR, ELEMENTWISE, Calendar, Elementwise, Windowed, ZScore
from dlplugin.indicators.calls import Pick, TalibCall
from dlplugin.indicators.descriptions import ALIASES, BUILT_IN_DESCRIPTIONS, DESCRIPTIONS
from dlplugin.indicators.forms import FORMS
from dlplugin.indicators.nodes import Node
from dlplugin.indicators.own import OwnCall, OwnFunction
from dlplugin.indicators.plugins import own_function, own_functions
from dlplugin.indicators.signature import LONGEST, Parameter, Signature
from dlplugin.indicators.starts import START_DEPENDENT
from dlplugin.indicators.talib import FUNCTIONS, talib_function
from dlplugin.registry import did_you_mean

__all__ = [
    "BUILT_IN_GROUP",
    "OTHER_GROUP",
    "OWN_GROUP",
    "Entry",
    "catalogue",
    "describe",
    "find",
    "unknown_name",
]

BUILT_IN_GROUP = "Built-in Functions"
OTHER_GROUP = "Other Symbols, Timeframes and Delays"
OWN_GROUP = "Your Own Indicators"


_EXAMPLES = {
    "ACOS": ["close / high"],
    "ASIN": ["close / high"],
    "MAVP": ["close", "5 + 6 * day_of_week"],
    **{name: ["close / 1000"] for name in ("COSH", "EXP", "SINH")},
}


@dataclass(frozen=True)
class Entry:
    """One function of the language.

    Attributes:
        name: What expressions call it.
        group: The group it is listed under.
        description: One sentence: what it measures.
        signature: Its inputs and parameters.
        outputs: The names of its outputs, of which an expression takes one; empty where it has one value.
        aliases: Other names of the outputs, to the names themselves.
        warm_up: Leading bars without a value, as `usage` has it; None where a parameter has no default.
        start_dependent: Whether it depends on where the history starts, and is refused unless in
            its accepted form.
        accepted_as: That form, as in "diff(OBV(close, volume), n)"; empty where there is none.
        unstable: Whether bars before the warm-up fade without ever being forgotten.
        build: The step from inputs, parameter values and the name of an output ("" for its one value).
        form: How it is written where it is a form that takes text; empty otherwise.
        checked: Whether a user's own function was tried before it was let in; true for all others.
    """

    name: str
    group: str
    description: str
    signature: Signature
    outputs: tuple[str, ...]
    aliases: Mapping[str, str]
    warm_up: int | None
    start_dependent: bool
    accepted_as: str
    unstable: bool
    build: Callable[[tuple[Node, ...], tuple[float, ...], str], Node]
    form: str = ""
    checked: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs; for TA-Lib's functions the columns it takes by default."""
        return self.signature.inputs

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its numbers, in order."""
        return self.signature.parameters

    @property
    def usage(self) -> str:
        """How it is written with every default spelled out."""
        return self.form or (self.name if self.name in CALENDAR else self.signature.usage)

    @property
    def example(self) -> str:
        """An expression that shows it on daily bars; empty where there is no accepted form."""
        if self.form:
            return self.form.replace("x", "close", 1)
        if self.name in CALENDAR or (self.start_dependent and not self.accepted_as):
            return self.name if self.name in CALENDAR else ""
        if self.start_dependent:
            return self.accepted_as.replace(", n)", ", 5)")
        defaults = [step.text for step in self.signature.defaults]
        given = _EXAMPLES.get(self.name) or defaults or ["close", "open"][: len(self.inputs)]
        written = [f"{each.name}=20" for each in self.parameters if each.default is None]
        call = f"{self.name}({', '.join([*given, *written])})"
        return f"{call}.{self.outputs[0]}" if self.outputs else call


def catalogue() -> Mapping[str, Entry]:
    """Every function by its name: TA-Lib's groups in their order, the built-in ones, the user's own."""
    own = {name: _own_entry(function) for name, function in sorted(own_functions().items())}
    return MappingProxyType({**_shipped(), **own})


def find(name: str) -> Entry | None:
    """The entry of one function; None where there is none of that name."""
    entry = _shipped().get(name)
    if entry is not None:
        return entry
    function = own_function(name)
    return None if function is None else _own_entry(function)


def describe(name: str) -> Entry:
    """The entry of one function.

    Raises:
        UnknownNameError: There is none of that name.

    >>> describe("RSI").usage
    'RSI(close, timeperiod=14)'
    """
    entry = find(name)
    if entry is None:
        raise unknown_name(name)
    return entry


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Entry]:
    entries = sorted(_talib_entries(), key=lambda entry: (entry.group, entry.name))
    return MappingProxyType(
        {entry.name: entry for entry in (*entries, *_built_in_entries(), *_form_entries())}
    )


def unknown_name(name: str) -> UnknownNameError:
    """The error for a name that no function goes by."""
    hint = did_you_mean(name, catalogue()) or ";"
    return UnknownNameError(f"unknown indicator {name!r}{hint} list them with: dlplugin indicators")


def _talib_entries() -> Iterator[Entry]:
    for name in FUNCTIONS:
        function = talib_function(name)
        rule = START_DEPENDENT.get(name)
        outputs = function.outputs if len(function.outputs) > 1 else ()
        usage = function.signature.usage + (f".{outputs[0]}" if outputs else "")
        defaults = tuple(parameter.default or 0 for parameter in function.signature.parameters)
        yield Entry(
            name=name,
            group=function.group,
            description=DESCRIPTIONS.get(name, ""),
            signature=function.signature,
            outputs=outputs,
            aliases=MappingProxyType({alias: of for of, alias in ALIASES.get(name, {}).items()}),
            warm_up=function.lookback(defaults),
            start_dependent=rule is not None,
            accepted_as=f"{rule.wrapper}({usage}, n)" if rule and rule.wrapper else "",
            unstable=TalibCall(name, function.signature.defaults, defaults).fades,
            build=_talib_builder(name),
        )


def _talib_builder(name: str) -> Callable[[tuple[Node, ...], tuple[float, ...], str], Node]:
    def build(inputs: tuple[Node, ...], parameters: tuple[float, ...], output: str) -> Node:
        call = TalibCall(name, inputs, parameters)
        return Pick(call, output) if output else call

    return build


def _built_in_entries() -> Iterator[Entry]:
    n_of_one = Parameter("n", "whole", 1, 1, LONGEST, "how many bars back")
    n_of_two = Parameter("n", "whole", None, 2, LONGEST, "how many bars, this one included")
    for name in ELEMENTWISE:
        many = name in ("min", "max")
        signature = Signature(name, ("x", "y") if many else ("x",), (), (), repeats=many)
        yield _built_in(signature, 0, lambda inputs, _, name=name: Elementwise(name, inputs))
    for name in ("lag", "diff", "pct_change"):
        signature = Signature(name, ("x",), (), (n_of_one,))
        yield _built_in(
            signature, 1, lambda inputs, values, name=name: Windowed(name, inputs[0], int(values[0]))
        )
    rank = Signature("rank", ("x",), (), (n_of_two,))
    yield _built_in(rank, None, lambda inputs, values: Windowed("rank", inputs[0], int(values[0])))
    zscore = Signature("zscore", ("x",), (), (n_of_two,))
    yield _built_in(zscore, None, lambda inputs, values: ZScore(inputs[0], int(values[0])))
    for name in CALENDAR:
        yield _built_in(Signature(name, (), (), ()), 0, lambda *_, name=name: Calendar(name))


def _built_in(
    signature: Signature,
    warm_up: int | None,
    build: Callable[..., Node],
) -> Entry:
    return Entry(
        name=signature.name,
        group=BUILT_IN_GROUP,
        description=BUILT_IN_DESCRIPTIONS.get(signature.name, ""),
        signature=signature,
        outputs=(),
        aliases=MappingProxyType({}),
        warm_up=warm_up,
        start_dependent=False,
        accepted_as="",
        unstable=False,
        build=lambda inputs, parameters, output: build(inputs, parameters),
    )


def _form_entries() -> Iterator[Entry]:
    for form in FORMS.values():
        yield replace(
            _built_in(Signature(form.name, ("x",), (), ()), None, _form_builder(form.usage)),
            group=OTHER_GROUP,
            description=form.description,
            form=form.usage,
        )


def _form_builder(usage: str) -> Callable[..., Node]:
    def build(inputs: object, parameters: object) -> Node:
        raise ExpressionError(f"it takes text, so it can only be read; write {usage}")

    return build


@lru_cache(maxsize=1024)
def _own_entry(function: OwnFunction) -> Entry:
    defaults = tuple(parameter.default or 0 for parameter in function.parameters)
    trial = function.trial(function, defaults)
    entry = _built_in(
        Signature(function.name, (), (), function.parameters),
        trial.warm_up,
        lambda inputs, values: OwnCall(function.name, values, function),
    )
    return replace(
        entry,
        group=OWN_GROUP,
        description=function.description,
        unstable=trial.settling > 0,
        checked=function.check,
    )
