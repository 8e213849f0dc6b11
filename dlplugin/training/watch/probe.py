"""Asks the network of a save point what it does on the samples it was trained on. This loads torch.

Units are looked at where values leave the activations that the network holds as modules: those of
`dlplugin.engines.ACTIVATIONS`. A network without any, such as an LSTM, whose gates are no modules, is
judged by the values that reach its output layer; a linear one has nothing hidden. Not seen are
functions such as `torch.relu`, the lower ones of several recurrent layers, and heads of attention that
look everywhere alike.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from dlplugin.definition import Definition, Output
from dlplugin.engines import ACTIVATIONS, RowReader, build_network, output_layer
from dlplugin.engines.embedding import Embedded
from dlplugin.samples import Samples
from dlplugin.training.watch.behaviour import BEFORE_OUTPUT, ClassBehaviour, Layer, NumberBehaviour, Probe

__all__ = ["probe"]

FloatArray = NDArray[np.float64]

ROWS = 4000  # enough to find out that a unit never answers; a few milliseconds
ROWS_AT_ONCE = 500
SAME = 1e-6  # activations that differ by less, as a share of the largest, are one


def probe(definition: Definition, weights: Mapping[str, NDArray[np.float32]], samples: Samples) -> Probe:
    """Activations and predictions on in-sample rows, evenly spread over all of them.

    Args:
        definition: What was trained.
        weights: Parameter name to (K, ...), those of the save point.
        samples: What it was trained on.
    """
    networks = next(iter(weights.values())).shape[0]
    network = build_network(definition, networks)
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    network.eval()
    everywhere = samples.rows["in-sample"]
    rows = everywhere[np.linspace(0, len(everywhere) - 1, min(ROWS, len(everywhere)), dtype=np.int64)]
    reader = RowReader(samples.layout, samples.matrix.shape[1])
    predicted, layers = _run(network, torch.from_numpy(np.ascontiguousarray(samples.matrix)), reader, rows)
    numbers, classes = [], []
    for index, (output, head) in enumerate(zip(definition.outputs, definition.heads, strict=True)):
        targets = samples.targets[rows, index].astype(np.float64)
        known = np.isfinite(targets)
        if not known.any():
            continue
        if head.kind == "classes":
            classes.append(_classes(output, predicted[:, known, head.columns], targets[known]))
        else:  # of quantiles the middle one
            numbers.append(_numbers(output, predicted[:, known, head.first + head.size // 2], targets[known]))
    return Probe(len(rows), tuple(layers), tuple(numbers), tuple(classes))


def _run(
    network: nn.Module, matrix: Tensor, reader: RowReader, rows: NDArray[np.int64]
) -> tuple[FloatArray, list[Layer]]:
    """(K, S, N) what the network gives, and what its hidden layers did meanwhile."""
    networks = next(network.parameters()).shape[0]
    seen, hooks = _watch(network)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), ROWS_AT_ONCE):
            read = reader(matrix, torch.from_numpy(rows[start : start + ROWS_AT_ONCE]))
            for units in seen:
                units.begin(networks, len(read))
            parts.append(network(read.expand(networks, *read.shape)).numpy())
            for units in seen:
                units.end()
    for hook in hooks:
        hook.remove()
    met = [units for units in seen if units.count]
    layers = [
        Layer(units.name or str(number), units.count, units.dead) for number, units in enumerate(met, start=1)
    ]
    return np.concatenate(parts, axis=1).astype(np.float64), layers


def _watch(network: nn.Module) -> "tuple[list[_Units], list[RemovableHandle]]":
    """The layers whose units are looked at, and the hooks that look."""
    seen: list[_Units] = []
    hooks: list[RemovableHandle] = []
    for layer in network.modules():
        if isinstance(layer, _activations()):
            seen.append(_Units())
            hooks.append(layer.register_forward_hook(seen[-1].after))
    output = output_layer(network)
    own = network.network if isinstance(network, Embedded) else network
    if seen or output is None or len(list(own.parameters())) == len(list(output.parameters())):
        return seen, hooks  # what the output layer of a linear network is given are the inputs themselves
    units = _Units(BEFORE_OUTPUT)
    return [units], [output.register_forward_pre_hook(units.before)]


def _numbers(output: Output, predicted: FloatArray, targets: FloatArray) -> NumberBehaviour:
    """(K, S) and (S,) to their means and spreads."""
    return NumberBehaviour(
        output.name,
        float(predicted.mean()),
        float(predicted.std(axis=1).mean()),
        float(targets.mean()),
        float(targets.std()),
    )


def _classes(output: Output, columns: FloatArray, targets: FloatArray) -> ClassBehaviour:
    """(K, S, 1 or C) and (S,) to the shares of the classes."""
    chosen = columns[..., 0] > 0 if columns.shape[-1] == 1 else columns.argmax(axis=-1)
    shares, target_shares = (
        np.bincount(values.ravel().astype(np.int64), minlength=len(output.labels)) / values.size
        for values in (chosen, targets)
    )
    return ClassBehaviour(output.name, output.labels, tuple(shares.tolist()), tuple(target_shares.tolist()))


def _activations() -> tuple[type[nn.Module], ...]:
    return tuple({type(make()) for make in ACTIVATIONS.values()})


class _Units:
    """The lowest and highest value of each unit of a layer over all rows.

    A unit is each number that the layer gives for a row: H of (K, B, H), W · H of (K, B, W, H); where
    the layer is called several times in a pass, such as once a bar, those of all calls. So a value that
    differs from bar to bar and never from row to row tells nothing, and is found.

    Rows may be folded with what follows them, as (K, B · F, P, E) or (K · B, W, H) are; a layer that gives
    anything else is not judged.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self._low: Tensor | None = None  # (K, units)
        self._high: Tensor | None = None
        self._judged = True
        self._lows: list[Tensor] = []  # of the calls of one pass
        self._highs: list[Tensor] = []

    def begin(self, networks: int, rows: int) -> None:
        """A pass over so many rows begins."""
        self._networks, self._rows = networks, rows
        self._lows, self._highs = [], []

    def after(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """A forward hook: looks at what the layer gives."""
        self._look(output)

    def before(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """A forward pre-hook: looks at what the layer is given."""
        self._look(inputs[0])

    def _look(self, values: Tensor) -> None:
        rows = _by_row(values, self._networks, self._rows)
        if rows is None:
            self._judged = False
            return
        self._lows.append(rows.amin(dim=1))
        self._highs.append(rows.amax(dim=1))

    def end(self) -> None:
        """The pass has ended."""
        if not self._judged or not self._lows:
            return
        low, high = torch.cat(self._lows, dim=1), torch.cat(self._highs, dim=1)
        if self._low is None or self._high is None:
            self._low, self._high = low, high
        elif low.shape != self._low.shape:
            self._judged = False
        else:
            self._low, self._high = torch.minimum(self._low, low), torch.maximum(self._high, high)

    @property
    def count(self) -> int:
        """How many units there are; 0 when they cannot be judged, or the layer was never called."""
        return 0 if self._low is None or not self._judged else self._low.shape[-1]

    @property
    def dead(self) -> float:
        """Share of the units that had one value on all rows; of several networks the largest."""
        if self._low is None or self._high is None:
            return 0.0
        largest = torch.maximum(self._low.abs(), self._high.abs())
        same = self._high - self._low <= SAME * torch.clamp(largest, min=1)
        return float(same.double().mean(dim=1).max())


def _by_row(values: Tensor, networks: int, rows: int) -> Tensor | None:
    """(K, B, ...), (K, B · n, ...) or (K · B · n, ...) to (K, B, units); None where it is no such tensor."""
    shape = values.shape
    folded = shape[:1] == (networks,) and len(shape) > 2 and shape[1] % rows == 0
    if not folded and not (len(shape) > 1 and shape[0] % (networks * rows) == 0):
        return None
    return values.reshape(networks, rows, -1)
