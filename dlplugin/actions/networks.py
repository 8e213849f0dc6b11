"""The engines that there are, and all about one of them."""

import inspect
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from dlplugin.errors import DefinitionError, DLPluginError, RegistryError

if TYPE_CHECKING:
    from dlplugin.definition import Definition, EngineOptions, EngineSpec

__all__ = ["TYPICAL", "EngineEntry", "EngineOption", "ExplainedEngine", "StepTime", "engine", "engines"]

INPUTS, DEPTH = 5, 16
TYPICAL = f"{INPUTS} inputs of depth {DEPTH} and one output"
"""What weights and times are told for."""
MOST_DEPTH = 512  # looked at for the least that an engine takes
STEP_ROWS = 256


@dataclass(frozen=True)
class EngineEntry:
    """A line of the list.

    Attributes:
        name: What users write.
        description: What it is.
        package: The installed package that brings it; empty for a built-in one.
        layout: "flat" or "window"; None when it cannot be loaded.
        weights: Of a network with default options for the typical shape; None when it cannot be told.
        trouble: Why it cannot be used, or refuses that shape; empty when all is well.
    """

    name: str
    description: str
    package: str
    layout: str | None
    weights: int | None
    trouble: str


@dataclass(frozen=True)
class EngineOption:
    """An option: what it takes, its default as files hold it, and its sentence."""

    name: str
    allowed: str
    default: Any
    sentence: str


@dataclass(frozen=True)
class StepTime:
    """What a step of 256 samples takes here on one thread, at the typical shape.

    Attributes:
        seconds: The median.
        of_mlp: How many times what the MLP takes, measured in turn with it.
    """

    seconds: float
    of_mlp: float


@dataclass(frozen=True)
class ExplainedEngine:
    """All about an engine.

    Attributes:
        entry: Its line of the list.
        about: What it is, in paragraphs.
        good_for: When one would choose it.
        cost: How its time and its weights grow.
        sources: Who proposed it.
        options: Its options.
        least_depth: The fewest bars that its default options take; None for flat rows.
        step: What a step takes; None when it could not be measured.
        not_measured: Why it could not.
        python: A complete model in Python.
        file: The same as a definition file.
    """

    entry: EngineEntry
    about: tuple[str, ...]
    good_for: str
    cost: str
    sources: tuple[str, ...]
    options: tuple[EngineOption, ...]
    least_depth: int | None
    step: StepTime | None
    not_measured: str
    python: str
    file: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it, the line of the list with the rest."""
        plain = asdict(self)
        line: dict[str, Any] = plain.pop("entry")
        return line | plain


def engines() -> list[EngineEntry]:
    """All engines, those of other packages included; one that cannot be loaded says why. No torch."""
    from dlplugin.definition import engines as known

    return [_entry(name) for name in known]


def engine(name: str, seconds: float = 0.3) -> ExplainedEngine:
    """One engine in full; this loads torch, and measures a step.

    Args:
        name: The engine's.
        seconds: For how long it is measured.

    Raises:
        UnknownNameError: There is no such engine.
        RegistryError: It cannot be loaded.
        EngineError: What its package announces does not fit together.
    """
    from dlplugin.definition import spec_named

    entry, spec = _entry(name), spec_named(name)
    if entry.layout is None:
        raise RegistryError(entry.trouble)
    step, not_measured = _measured(spec, seconds)
    python, file = _examples(spec)
    return ExplainedEngine(
        entry=entry,
        about=_about(spec.options),
        good_for=spec.good_for,
        cost=spec.cost,
        sources=spec.sources,
        options=_options(spec.options),
        least_depth=_least_depth(spec) if spec.layout == "window" else None,
        step=step,
        not_measured=not_measured,
        python=python,
        file=file,
    )


def _entry(name: str) -> EngineEntry:
    from dlplugin.definition import engines as known
    from dlplugin.definition import spec_named

    registered = known.entry(name)
    package, layout, weights, trouble = registered.package, None, None, ""
    description = registered.description
    try:
        spec = spec_named(name)
        layout = spec.layout
        description = _about(spec.options)[0] if package else description
        weights = _weights(spec, DEPTH)
    except DLPluginError as error:
        trouble = str(error)
    except Exception as error:  # a foreign engine can fail in any way
        trouble = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return EngineEntry(name, description, package, layout, weights, trouble)


def _about(options: type) -> tuple[str, ...]:
    """The paragraphs of its docstring, without those of its fields."""
    text = inspect.cleandoc(options.__doc__ or f"{options.__name__}.").partition("\n\nArgs:\n")[0]
    return tuple(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _weights(spec: "EngineSpec", depth: int) -> int:
    from dlplugin.definition import Shapes

    options: EngineOptions = spec.options()
    row = (depth, INPUTS) if spec.layout == "window" else (depth * INPUTS,)
    return options.weights(Shapes(1, row, 1))


def _least_depth(spec: "EngineSpec") -> int | None:
    return next((depth for depth in range(1, MOST_DEPTH + 1) if _takes(spec, depth)), None)


def _takes(spec: "EngineSpec", depth: int) -> bool:
    try:
        _weights(spec, depth)
    except DefinitionError:
        return False
    return True


def _options(cls: type) -> tuple[EngineOption, ...]:
    from dlplugin.definition import help_sentences
    from dlplugin.definition.allowed import allowed_values

    sentences, allowed = help_sentences(cls), allowed_values(cls)
    return tuple(
        EngineOption(each.name, allowed[each.name], _plain(each.default), sentences[each.name])
        for each in fields(cls)
    )


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _measured(spec: "EngineSpec", seconds: float) -> tuple[StepTime | None, str]:
    """What a step takes beside the MLP's, or why that is not known."""
    from dlplugin.definition import MLP
    from dlplugin.training.watch.timing import step_times

    try:
        own = _typical(spec.options())
        mlp = own if spec.options is MLP else _typical(MLP())
        times = step_times([own] if own is mlp else [own, mlp], STEP_ROWS, seconds)
    except DLPluginError as error:
        return None, str(error)
    except Exception as error:  # a foreign network can fail in any way
        return None, f"{type(error).__name__}: {' '.join(str(error).split())}"
    return StepTime(times[0], times[0] / times[-1]), ""


def _typical(options: "EngineOptions") -> "Definition":
    from dlplugin.definition import Definition, Input, Output

    inputs = [Input(f"ROC({period})", depth=DEPTH) for period in range(1, INPUTS + 1)]
    return Definition("typical", inputs, [Output("ROC(5)", look_ahead=5)], options)


def _examples(spec: "EngineSpec") -> tuple[str, str]:
    """A whole model with this engine, in Python and as a file; its first option is spelled out."""
    depth = 3
    if spec.layout == "window":
        depth = next((bars for bars in (DEPTH, 32, 64, 128, 256, MOST_DEPTH) if _takes(spec, bars)), DEPTH)
    first = [f"{each.name}={_plain(each.default)!r}" for each in fields(spec.options)[:1]]
    own = spec.options.__module__.partition(".")[0] == "dlplugin"
    called = f"{'dl.' if own else ''}{spec.options.__name__}({', '.join(first)})"
    foreign = "" if own else f"from {spec.options.__module__} import {spec.options.__name__}\n"
    written = [f"{each.name}: {json.dumps(_plain(each.default))}" for each in fields(spec.options)[:1]]
    named = f"{{name: {spec.name}, {written[0]}}}" if written else spec.name
    indicators = ("RSI(14)", "ROC(5)")
    inputs = "\n".join(f'        dl.Input("{each}", depth={depth}),' for each in indicators)
    lines = "\n".join(f"  - {{indicator: {each}, depth: {depth}}}" for each in indicators)
    return (
        f"import dlplugin as dl\n{foreign}\nmodel = dl.Model(\n"
        f'    "my-{spec.name}",\n    inputs=[\n{inputs}\n    ],\n'
        f'    outputs=[dl.Output("ROC(5)", look_ahead=5)],\n    engine={called},\n)\n',
        f"name: my-{spec.name}\ninputs:\n{lines}\noutputs:\n  - {{indicator: ROC(5), look_ahead: 5}}\n"
        f"engine: {named}\ndataset: us-stocks\n",
    )
