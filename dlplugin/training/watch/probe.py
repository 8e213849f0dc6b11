"""Asks the network of a save point what it does on the samples it was trained on. This loads torch."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlplugin.definition import Definition, Output
from dlplugin.engines import ACTIVATIONS, RowReader, build_network
from dlplugin.samples import Samples
from dlplugin.training.watch.behaviour import ClassBehaviour, Layer, NumberBehaviour, Probe

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
    ranges = {
        name: _Range(networks) for name, layer in network.named_modules() if isinstance(layer, _activations())
    }
    hooks = [network.get_submodule(name).register_forward_hook(seen) for name, seen in ranges.items()]
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), ROWS_AT_ONCE):
            read = reader(matrix, torch.from_numpy(rows[start : start + ROWS_AT_ONCE]))
            parts.append(network(read.expand(networks, *read.shape)).numpy())
    for hook in hooks:
        hook.remove()
    met = [seen for seen in ranges.values() if seen.units]
    layers = [Layer(str(number), seen.units, seen.dead) for number, seen in enumerate(met, start=1)]
    return np.concatenate(parts, axis=1).astype(np.float64), layers


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


class _Range:
    """The lowest and highest activation of each unit of a layer; a forward hook."""

    def __init__(self, networks: int) -> None:
        self.low: Tensor | None = None  # (K, H)
        self.high: Tensor | None = None
        self._networks = networks
        self._known = True  # that its last dimension is the units: a foreign engine can turn its values

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.dim() < 3 or output.shape[0] != self._networks:
            self._known = False
            return
        flat = output.reshape(output.shape[0], -1, output.shape[-1])  # (K, B, ..., H) -> (K, n, H)
        low, high = flat.amin(dim=1), flat.amax(dim=1)
        if self.low is not None and self.low.shape != low.shape:
            self._known = False
            return
        self.low = low if self.low is None else torch.minimum(self.low, low)
        self.high = high if self.high is None else torch.maximum(self.high, high)

    @property
    def units(self) -> int:
        """How many units there are; 0 where that is not known."""
        return 0 if self.low is None or not self._known else self.low.shape[-1]

    @property
    def dead(self) -> float:
        """Share of the units that had one activation on all rows; of several networks the largest."""
        if self.low is None or self.high is None:
            return 0.0
        largest = torch.maximum(self.low.abs(), self.high.abs())
        same = self.high - self.low <= SAME * torch.clamp(largest, min=1)
        return float(same.double().mean(dim=1).max())
