"""A training as a file describes it: the definition, and on what and how it is trained."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from dlplugin.bars import DataSet
from dlplugin.bars.origin import DataOrigin
from dlplugin.definition.definition import Definition
from dlplugin.definition.engines import engine_from_plain
from dlplugin.definition.inputs import Input
from dlplugin.definition.marked import Marked, read_marked
from dlplugin.definition.options import TrainingOptions
from dlplugin.definition.outputs import Output
from dlplugin.definition.split import Split
from dlplugin.definition.text import from_text
from dlplugin.errors import DefinitionError, DLPluginError
from dlplugin.registry import did_you_mean

__all__ = ["TrainingPlan"]

_DEFINITION = ("name", "inputs", "outputs", "engine", "sources")
_TRAINING = ("dataset", "validation", "split", "options", "start_from")
_SHOWN = tuple(key for key in (*_DEFINITION, *_TRAINING) if key != "sources")

C = TypeVar("C", Split, TrainingOptions)


@dataclass(frozen=True)
class TrainingPlan:
    """What a file says of a training; `read` makes one.

        name: us-5d
        inputs:
          - {indicator: RSI(14), depth: 3}
          - close / SMA(20) - 1
        outputs:
          - {indicator: ROC(5), look_ahead: 5}
        engine: {name: mlp, hidden: [32, 16]}
        dataset: us-stocks
        split: {in_sample: 0.6, out_of_sample: 0.2}
        options: {epochs: 300, learning_rate: 1e-3, auto_stop: none}

    `dataset` is a bundled set's name, a folder as seen from the file, or a mapping (see `DataOrigin.of`);
    so is `validation`. Only name, inputs and outputs must be there.

        plan = dl.TrainingPlan.read("us-5d.yaml")
        dl.Model.of(plan.definition).train(plan.dataset, plan.split, plan.options)

    Attributes:
        definition: Of the model.
        origin: Where its DataSet comes from; None where the file does not say.
        validation_origin: Where another DataSet for validation comes from; None where there is none.
        split: Which dates are for what.
        options: How it is trained.
        start_from: Another model whose weights it goes on from.
    """

    definition: Definition
    origin: DataOrigin | None = None
    validation_origin: DataOrigin | None = None
    split: Split = field(default_factory=Split)
    options: TrainingOptions = field(default_factory=TrainingOptions)
    start_from: str | None = None

    @classmethod
    def read(cls, path: str | Path) -> "TrainingPlan":
        """The plan in a YAML or JSON file.

        Raises:
            DLPluginError: It cannot be read, or something in it is wrong; the message names the file, and
                the line where it is YAML.
        """
        file = Path(path).expanduser()
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
            raise DefinitionError(f"cannot read {file}: {reason}") from None
        try:
            marked = read_marked(text, file.suffix.casefold() == ".json")
        except DefinitionError as error:
            colon = ", " if str(error).startswith("line ") else ": "
            raise DefinitionError(f"{file}{colon}{error}") from None
        return cls._of(_Place(str(file), marked), file.parent)

    @classmethod
    def from_dict(cls, plain: dict[str, Any], folder: Path | None = None) -> "TrainingPlan":
        """The plan that a file with these values would be.

        Args:
            plain: What YAML or JSON holds.
            folder: Where relative folders of bars are seen from; the current one otherwise.

        Raises:
            DLPluginError: A key is unknown or missing, or a value is wrong.
        """
        return cls._of(_Place("", Marked(plain)), folder or Path())

    @classmethod
    def _of(cls, place: "_Place", folder: Path) -> "TrainingPlan":
        plain = place.marked.plain
        known = (*_DEFINITION, *_TRAINING)
        with place.at():
            if not isinstance(plain, dict):
                found = "nothing" if plain is None else f"a {type(plain).__name__}"
                raise DefinitionError(f"it holds {found}, but must be a mapping with {', '.join(_SHOWN)}")
        for key in plain:
            with place.at(key):
                if key not in known:
                    hint = did_you_mean(str(key), known) or f"; there are: {', '.join(_SHOWN)}"
                    raise DefinitionError(f"a training has no {key!r}{hint}")
        start_from = plain.get("start_from")
        with place.at("start_from"):
            if start_from is not None and not isinstance(start_from, str):
                raise DefinitionError(f"start_from is {start_from!r}, but must be a model's name")
        return cls(
            _definition(place),
            _origin(place, "dataset", folder),
            _origin(place, "validation", folder),
            _settings(place, "split", Split),
            _settings(place, "options", TrainingOptions),
            start_from,
        )

    @cached_property
    def dataset(self) -> DataSet:
        """Its bars, read when they are first asked for.

        Raises:
            BarsError: They cannot be had, or it names none.
        """
        if self.origin is None:
            raise DefinitionError(
                f"the training of {self.definition.name!r} names no dataset; add one, such as dataset: us-stocks"
            )
        return self.origin.load()

    @cached_property
    def validation(self) -> DataSet | None:
        """The other bars that validate; None where it names none."""
        return None if self.validation_origin is None else self.validation_origin.load()

    def changed(
        self,
        split: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        start_from: str | None = None,
    ) -> "TrainingPlan":
        """The same with other values for some fields, those that are text read as the field means them.

        Raises:
            DefinitionError: A field is unknown, or a value wrong.
        """
        return replace(
            self,
            split=_changed(self.split, split or {}),
            options=_changed(self.options, options or {}),
            start_from=start_from or self.start_from,
        )


def _changed(settings: C, values: Mapping[str, Any]) -> C:
    kind = type(settings)
    kept = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return kind(**kept | from_text(kind, values))


@dataclass(frozen=True)
class _Place:
    """Which file it is, for messages; its name is empty where there is none."""

    file: str
    marked: Marked

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Errors inside name the file, and the line of the value, or of the key in it that they speak of."""
        try:
            yield
        except DLPluginError as error:
            raise type(error)(self._where(path, str(error)) + str(error)) from None

    def _where(self, path: tuple[str | int, ...], message: str) -> str:
        if not self.file:
            return ""
        value = self.marked.plain
        for key in path:
            inside = isinstance(value, list) or (isinstance(value, dict) and key in value)
            value = value[key] if inside else None
        if isinstance(value, dict):
            unknown = [key for key in value if repr(key) in message]
            wrong = [key for key in value if re.search(rf"\b{re.escape(str(key))}\b", message)]
            path = (*path, *(unknown or wrong)[:1])
        line = self.marked.lines.get(path)
        return f"{self.file}: " if line is None else f"{self.file}, line {line}: "


def _definition(place: _Place) -> Definition:
    plain = {key: value for key, value in place.marked.plain.items() if key in _DEFINITION}
    for key, kind in (("inputs", Input), ("outputs", Output)):
        if isinstance(plain.get(key), list):
            plain[key] = [_item(place, key, index, kind) for index in range(len(plain[key]))]
    if "engine" in plain:
        with place.at("engine"):
            plain["engine"] = engine_from_plain(plain["engine"])
    with place.at():
        return Definition.from_dict(plain)


def _item(place: _Place, key: str, index: int, kind: Callable[..., Input | Output]) -> Input | Output:
    """An input or an output, wrong ones with their own line."""
    item = place.marked.plain[key][index]
    with place.at(key, index):
        if isinstance(item, str) and kind is Input:
            return kind(item)
        if not isinstance(item, dict):
            raise DefinitionError(
                f"one of the {key} is {item!r}, but must be a mapping such as {{indicator: ROC(5), look_ahead: 5}}"
            )
        return kind(**{str(name): value for name, value in item.items()})


def _origin(place: _Place, key: str, folder: Path) -> DataOrigin | None:
    plain = place.marked.plain.get(key)
    with place.at(key):
        return None if plain is None else DataOrigin.of(plain, folder)


def _settings(place: _Place, key: str, kind: type[C]) -> C:
    plain = place.marked.plain.get(key)
    with place.at(key):
        if plain is not None and not isinstance(plain, dict):
            raise DefinitionError(f"{key} is {plain!r}, but must be a mapping of names and values")
        return kind(**from_text(kind, {str(name): value for name, value in (plain or {}).items()}))
