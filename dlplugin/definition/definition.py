"""A definition: all that makes a model what it is."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dlplugin.definition.engines import (
    EngineOptions,
    EngineSpec,
    Shapes,
    engine_from_plain,
    engine_to_plain,
    spec_of,
    weights_of,
)
from dlplugin.definition.inputs import Input
from dlplugin.definition.outputs import Head, Output, heads_of
from dlplugin.definition.settings import to_plain
from dlplugin.definition.sources import Source, sources_from_plain, sources_of, sources_to_plain
from dlplugin.errors import DefinitionError
from dlplugin.indicators import Indicator
from dlplugin.registry import did_you_mean

__all__ = ["Definition", "is_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Definition:
    """Name, inputs, outputs and engine of a model; immutable.

    Args:
        name: Letters, digits, dot, dash and underscore, 64 at most; the model's folder in the store.
        inputs: What it sees; a string is `Input(string)`.
        outputs: What it predicts.
        engine: Options of an engine, or an engine's name for its default options.

    Attributes:
        sources: The functions of a user's own that its expressions use, as they were when it was
            made.

    Raises:
        DefinitionError: A value is wrong, or the inputs do not suit the engine's layout.
        EngineError: The engine is another package's, and broken.
        ExpressionError: An indicator cannot be parsed.
    """

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    engine: EngineOptions
    sources: tuple[Source, ...]

    def __init__(
        self,
        name: str,
        inputs: Sequence[Input | str],
        outputs: Sequence[Output],
        engine: EngineOptions | str = "mlp",
    ) -> None:
        if not is_name(name):
            raise DefinitionError(
                f"name is {name!r}, but must be 1 to 64 letters, digits, '.', '-' or '_', and begin with one of "
                "the first two"
            )
        if not isinstance(inputs, list | tuple) or not isinstance(outputs, list | tuple):
            raise DefinitionError("inputs and outputs are lists, such as inputs=['RSI(14)']")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "inputs", tuple(_input(item) for item in inputs))
        object.__setattr__(self, "outputs", tuple(_output(item) for item in outputs))
        object.__setattr__(self, "engine", engine_from_plain(engine))
        items: tuple[Input | Output, ...] = (*self.inputs, *self.outputs)
        object.__setattr__(self, "sources", sources_of(each.text for each in _indicators(items)))
        self._check()

    def _check(self) -> None:
        for kind, items in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not items:
                raise DefinitionError(f"{self.name} has no {kind}; give at least one")
        names = [output.name for output in self.outputs]
        columns = self.columns(networks=2)
        for name in (*names, *columns):
            if names.count(name) > 1:
                raise DefinitionError(
                    f"two outputs are called {name!r}; give each a name of its own with name="
                )
            if columns.count(name) > 1:
                raise DefinitionError(
                    f"two columns of predictions would be called {name!r}; give the outputs other names with name="
                )
        if self.spec.layout == "window":
            indicators = [item for item in self.inputs if not item.is_symbol]
            if not indicators:
                raise DefinitionError(
                    f"engine {self.spec.name!r} reads windows, but the symbol is the only input and has none; add an "
                    "indicator, such as dl.Input('RSI(14)', depth=16)"
                )
            first, *others = indicators
            for other in others:
                if (other.depth, other.increment) != (first.depth, first.increment):
                    raise DefinitionError(
                        f"engine {self.spec.name!r} reads windows, but {first.name!r} has depth {first.depth} "
                        f"and increment {first.increment}, and {other.name!r} depth {other.depth} and increment "
                        f"{other.increment}; give all inputs the same, or use engine='mlp'"
                    )
        if not self.spec.sees_level and any(item.is_symbol for item in self.inputs):
            raise DefinitionError(
                f"engine {self.spec.name!r} sees only how inputs change in a window, and the symbol does not; leave "
                "out dl.Input('symbol'), or use another engine"
            )
        weights_of(self.engine, self.shapes())  # refuses rows that do not suit it

    @property
    def spec(self) -> EngineSpec:
        """The engine: its layout and its chunk."""
        return spec_of(self.engine)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Which of the network's columns answer each output."""
        return heads_of(self.outputs)

    def columns(self, networks: int = 1) -> tuple[str, ...]:
        """What the P columns of its predictions are called, output by output; see `Output.columns`."""
        return tuple(column for output in self.outputs for column in output.columns(networks))

    def shapes(self, networks: int = 1) -> Shapes:
        """The sizes of the engine's own network, with embedded categories in their vectors' sizes."""
        sizes = [item.embedding or item.columns for item in self.inputs]
        if self.spec.layout == "flat":
            row: tuple[int, ...] = (sum(item.depth * n for item, n in zip(self.inputs, sizes, strict=True)),)
        else:
            row = (self.window[0], sum(sizes))
        return Shapes(networks, row, sum(head.size for head in self.heads))

    @property
    def window(self) -> tuple[int, int]:
        """Depth and increment that all inputs share, the row's own symbol apart, where windows are read."""
        first = next((item for item in self.inputs if not item.is_symbol), self.inputs[0])
        return first.depth, first.increment

    @property
    def weights(self) -> int:
        """How many numbers each network learns, embeddings included."""
        tables = sum(item.columns * (item.embedding or 0) for item in self.inputs)
        return weights_of(self.engine, self.shapes()) + tables

    @property
    def look_ahead(self) -> int:
        """The largest look ahead of the outputs, in bars."""
        return max(output.look_ahead for output in self.outputs)

    @property
    def width(self) -> int:
        """D: numbers in one row, all inputs with their depths, a number for each category."""
        if self.spec.layout == "window":
            return self.window[0] * sum(item.columns for item in self.inputs)
        return sum(item.depth * item.columns for item in self.inputs)

    @property
    def bars_needed(self) -> int:
        """Bars until the first prediction: warm-up, depth and the bar itself."""
        read = [item for item in self.inputs if not item.is_symbol]
        return max((Indicator(item.indicator).warm_up + item.reach for item in read), default=0) + 1

    @property
    def steady_bars(self) -> int:
        """Bars after which the start of the history no longer shows in the inputs (float32)."""
        read = [item for item in self.inputs if not item.is_symbol]
        return max((Indicator(item.indicator).steady_bars + item.reach for item in read), default=0) + 1

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """Those of its inputs, in their order; the row's own symbol is none."""
        return _indicators(self.inputs)

    @property
    def others(self) -> tuple[str, ...]:
        """The other symbols that its inputs and outputs read, in alphabetical order."""
        return _others((*self.inputs, *self.outputs))

    @property
    def input_others(self) -> tuple[str, ...]:
        """The other symbols that a prediction needs."""
        return _others(self.inputs)

    @property
    def output_others(self) -> tuple[str, ...]:
        """The other symbols that a score speaks of."""
        return _others(self.outputs)

    @property
    def hash(self) -> str:
        """SHA-256 over what decides the numbers: inputs, outputs, engine and sources, not their labels."""
        plain = self.to_dict()
        del plain["name"]
        for item in (*plain["inputs"], *plain["outputs"]):
            del item["name"]
        if self.sources:
            plain["sources"] = {each.name: each.sha256 for each in self.sources}
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The definition as JSON and YAML hold it, every parameter spelled out."""
        plain: dict[str, Any] = {
            "name": self.name,
            "inputs": [to_plain(item) for item in self.inputs],
            "outputs": [to_plain(item) for item in self.outputs],
            "engine": engine_to_plain(self.engine),
        }
        return plain | ({"sources": sources_to_plain(self.sources)} if self.sources else {})

    @classmethod
    def from_dict(cls, plain: object) -> "Definition":
        """The definition that `to_dict` wrote, or that a person wrote by hand.

        Raises:
            DefinitionError: A key is unknown or missing, or a value is wrong.
            PredictionError: It needs an indicator of a user's own that is not known here.
        """
        known = ("name", "inputs", "outputs", "engine", "sources")
        if not isinstance(plain, dict):
            raise DefinitionError(
                f"a definition is a mapping with {', '.join(known[:4])}, not {type(plain).__name__}"
            )
        for key in plain:
            if key not in known:
                raise DefinitionError(f"a definition has no {key!r}{did_you_mean(str(key), known)}")
        for key in known[:3]:
            if key not in plain:
                raise DefinitionError(f"a definition needs {key!r}, but it is missing")
        for key in known[1:3]:
            if not isinstance(plain[key], list):
                raise DefinitionError(f"{key} is {plain[key]!r}, but must be a list")
        stored = sources_from_plain(plain["sources"], plain["name"]) if "sources" in plain else None
        made = cls(plain["name"], plain["inputs"], plain["outputs"], plain.get("engine", "mlp"))
        if stored is not None:
            object.__setattr__(made, "sources", stored)
        return made

    def to_json(self) -> str:
        """The definition as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Definition":
        """The definition in JSON text.

        Raises:
            DefinitionError: It is not JSON, or not a definition.
        """
        try:
            plain = json.loads(text)
        except ValueError as error:
            raise DefinitionError(f"the definition is not JSON: {error}") from None
        return cls.from_dict(plain)

    def to_yaml(self) -> str:
        """The definition as YAML text."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> "Definition":
        """The definition in YAML text; `yaml.safe_load` reads it, so nothing in it runs.

        Raises:
            DefinitionError: It is not YAML, or not a definition.
        """
        try:
            plain = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise DefinitionError(f"the definition is not YAML: {' '.join(str(error).split())}") from None
        return cls.from_dict(plain)


def is_name(text: object) -> bool:
    """Whether a model can be called that; a name is also a folder's."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def _input(item: object) -> Input:
    if isinstance(item, Input):
        return item
    if isinstance(item, str):
        return Input(item)
    if isinstance(item, dict):
        return Input(**item)
    raise DefinitionError(f"an input is {item!r}, but must be an expression or dl.Input(...)")


def _output(item: object) -> Output:
    if isinstance(item, Output):
        return item
    if isinstance(item, dict):
        return Output(**item)
    raise DefinitionError(f"an output is {item!r}, but must be dl.Output(expression, look_ahead=...)")


def _indicators(items: Sequence[Input | Output]) -> tuple[Indicator, ...]:
    return tuple(
        Indicator(item.indicator) for item in items if not (isinstance(item, Input) and item.is_symbol)
    )


def _others(items: Sequence[Input | Output]) -> tuple[str, ...]:
    return tuple(sorted(frozenset().union(*(each.others for each in _indicators(items)))))
