"""A model at a glance: its inputs, its layers, and its weights beside the samples they are learned from."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, Split, TrainingOptions
from dlplugin.errors import DefinitionError
from dlplugin.samples import build_samples, resolve_split, row_layout
from dlplugin.store import ModelFolder, RunFolder, stored_runs
from dlplugin.training.watch.estimate import recorded_effective, too_large_warning

if TYPE_CHECKING:
    from dlplugin.engines.summary import LayerSummary

__all__ = ["ModelSummary", "record_of", "summarise"]

BYTES_A_WEIGHT = 4  # float32
UNKNOWN = "train or give a dataset"


@dataclass(frozen=True, repr=False)
class ModelSummary:
    """What a model is made of; its text is what it prints.

    Attributes:
        model: Its name, with the version when it is locked.
        status: "draft", "running", "trained" or "locked".
        engine: The engine's name.
        depths: The depth of each input, in bars.
        row: The shape of a row as the network is given it: (D,) flat, or (W, F) windows.
        outputs: N, the columns that the network gives.
        layers: Of the network.
        networks: K.
        weights: Of each network.
        effective_samples: How many independent samples the in-sample ones are worth; None when not known.
        samples_of: What the samples are of: a run, or a dataset.
    """

    model: str
    status: str
    engine: str
    depths: tuple[int, ...]
    row: tuple[int, ...]
    outputs: int
    layers: "tuple[LayerSummary, ...]"
    networks: int
    weights: int
    effective_samples: float | None
    samples_of: str

    @property
    def total_weights(self) -> int:
        """Of all networks."""
        return self.networks * self.weights

    @property
    def bytes(self) -> int:
        """That all weights take, in float32."""
        return BYTES_A_WEIGHT * self.total_weights

    @property
    def warning(self) -> str | None:
        """Where a network has more weights than its samples are worth."""
        return too_large_warning(self.weights, self.effective_samples)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, width: int | None = None) -> str:
        """What it prints.

        Args:
            width: Characters of a terminal's line; where the table has no room, the layers' classes are
                left out. None: lines as long as they come.
        """
        table = self._table(kinds=True)
        if width is not None and len(table[0]) > width:
            table = self._table(kinds=False)
        head, tail = (
            [line for text in part for line in _lines(text, width)] for part in (self._head, self._tail)
        )
        return "\n".join([*head, "", *table, "", *tail])

    @property
    def _head(self) -> list[str]:
        shape = f"{self.row[0]:,} numbers"
        if len(self.row) > 1:
            shape = f"{self.row[0]} bars × {self.row[1]} numbers"
        outputs = f"{self.outputs} number{'' if self.outputs == 1 else 's'}"
        return [
            f"{self.model}: {self.status}, engine {self.engine}",
            f"{_inputs(self.depths)}; a row is {shape}, and the network gives {outputs}",
        ]

    @property
    def _tail(self) -> list[str]:
        each = f"{self.weights:,} weights"
        if self.networks > 1:
            each += f" a network, {self.total_weights:,} in {self.networks} networks"
        found = UNKNOWN
        if self.effective_samples is not None:
            found = f"{self.effective_samples:,.0f} of {self.samples_of}"
        lines = [
            "K networks side by side, B rows at a time",
            f"{each}, {self.bytes:,} bytes",
            f"effective samples: {found}",
        ]
        return [*lines, f"warning: {self.warning}"] if self.warning else lines

    def _table(self, kinds: bool) -> list[str]:
        """The layers, a line each below a heading, with their classes or without."""
        rows = [("layer", "kind", "gives", "weights")]
        rows += [
            (layer.name, layer.kind, layer.gives or "–", f"{layer.weights:,}" if layer.weights else "–")
            for layer in self.layers
        ]
        names, classes, shapes, counts = (max(map(len, column)) for column in zip(*rows, strict=True))
        return [
            f"{name:{names}}  {f'{kind:{classes}}  ' if kinds else ''}{gives:{shapes}}  {count:>{counts}}"
            for name, kind, gives, count in rows
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        found = {"total_weights": self.total_weights, "bytes": self.bytes, "warning": self.warning}
        return asdict(self) | found


def record_of(folder: ModelFolder, definition: Definition, version: int | None) -> Mapping[str, Any] | None:
    """How what a model predicts with was trained; of its newest run while nothing predicts yet, or None.

    Args:
        folder: The model's.
        definition: One that is not the stored one has no record.
        version: A locked version instead of what the name means now.

    Raises:
        DamagedModelError: A file of it is missing or damaged.
        UnknownModelError: There is no such version.
    """
    source = folder.source(definition) if version is None else folder.version(version)
    if source is not None:
        return source.read_trained().record
    state = folder.state() if folder.exists else None
    if state is None or state.definition.hash != definition.hash or state.newest is None:
        return None
    there = state.newest in stored_runs(folder.root)
    return RunFolder.open(folder.root, state.newest).facts if there else None


def summarise(
    definition: Definition,
    named: tuple[str, str],
    record: Mapping[str, Any] | None,
    dataset: DataSet | None = None,
    split: Split | None = None,
    options: TrainingOptions | None = None,
    validation: DataSet | None = None,
) -> ModelSummary:
    """The summary of a definition; see `Model.summary`.

    Args:
        definition: The model's.
        named: What it is called, and its status.
        record: Of the run whose samples count; None where there is none.
        dataset: Whose samples count instead.
        split: Which of its dates train.
        options: How it would be trained.
        validation: Another DataSet to validate on.

    Raises:
        DefinitionError: What is said of a dataset that is not given.
        SamplesError: The dataset has no samples.
    """
    from dlplugin.engines.summary import layers_of

    if dataset is None and (split is not None or validation is not None):
        raise DefinitionError(
            "split and validation tell which samples of a dataset train; give dataset=, too"
        )
    networks, effective, samples_of = 1, None, ""
    if record is not None:
        networks = int(record["options"].get("networks", 1))
        effective, samples_of = recorded_effective(record), f"run {record.get('run', '')}".strip()
    if options is not None:
        networks = options.networks
    if dataset is not None:
        effective = _effective(
            definition, dataset, split or Split(), options or TrainingOptions(), validation
        )
        samples_of = f"{dataset.name!r}"
    layers = layers_of(definition)
    return ModelSummary(
        *named,
        engine=definition.spec.name,
        depths=tuple(item.depth for item in definition.inputs),
        row=row_layout(definition).shape,
        outputs=definition.shapes().outputs,
        layers=layers,
        networks=networks,
        weights=sum(layer.weights for layer in layers),
        effective_samples=effective,
        samples_of=samples_of,
    )


def _effective(
    definition: Definition,
    dataset: DataSet,
    split: Split,
    options: TrainingOptions,
    validation: DataSet | None,
) -> float:
    spans = resolve_split(dataset, split, validation)
    samples = build_samples(
        definition,
        dataset,
        spans,
        half_life=options.half_life,
        uniqueness=options.uniqueness,
        validation=validation,
    )
    return samples.effective


def _inputs(depths: tuple[int, ...]) -> str:
    count = f"{len(depths)} input{'' if len(depths) == 1 else 's'}"
    if len(set(depths)) == 1:
        return f"{count} of depth {depths[0]}"
    return f"{count} of depths {', '.join(map(str, depths[:-1]))} and {depths[-1]}"


def _lines(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
