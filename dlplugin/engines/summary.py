"""The layers of a network as a forward pass meets them. This loads torch."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlplugin.definition import Definition
from dlplugin.engines.network import build_network
from dlplugin.samples import row_layout

__all__ = ["LayerSummary", "layers_of"]

FIRST, SECOND = (2, 3), (3, 5)  # networks and rows of two passes; what grows with which tells K from B


@dataclass(frozen=True)
class LayerSummary:
    """A layer.

    Attributes:
        name: Its place in the network, as `TrainingOptions(freeze=...)` takes it.
        kind: Its class.
        gives: The shape of what it gives, with K networks and B rows at a time: "K × B × 32". Empty
            where it is not called by itself, or gives no tensor.
        weights: The numbers of its own that one network learns.
    """

    name: str
    kind: str
    gives: str
    weights: int


def layers_of(definition: Definition) -> tuple[LayerSummary, ...]:
    """The layers of a definition's network, in the order in which it holds them.

    A layer is a module without modules below it, or one with numbers of its own to learn; those that
    change nothing are left out. Of one that is called several times in a pass, such as once a bar, the
    last call tells the shape.
    """
    first, second = _passed(definition, *FIRST), _passed(definition, *SECOND)
    return tuple(
        LayerSummary(name or "network", kind, _letters(shape, second[name][1]), weights)
        for name, (kind, shape, weights) in first.items()
    )


def _passed(
    definition: Definition, networks: int, rows: int
) -> dict[str, tuple[str, tuple[int, ...] | None, int]]:
    """Layer's name to its class, the shape that it gave, and the weights of one network."""
    network = build_network(definition, networks).eval()
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, given: object) -> None:
        if isinstance(given, tuple | list) and given:  # as torch's own recurrent layers give
            given = given[0]
        if isinstance(given, Tensor):
            shapes[name] = tuple(given.shape)

    layers = {name: layer for name, layer in network.named_modules() if _is_layer(layer)}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, __, given, name=name: note(name, given))
    with torch.inference_mode():
        network(torch.zeros(networks, rows, *row_layout(definition).shape))
    return {
        name: (type(layer).__name__, shapes.get(name), _own_weights(layer) // networks)
        for name, layer in layers.items()
    }


def _is_layer(module: nn.Module) -> bool:
    if isinstance(module, nn.Identity):
        return False
    return not list(module.children()) or _own_weights(module) > 0


def _own_weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters(recurse=False))


def _letters(first: tuple[int, ...] | None, second: tuple[int, ...] | None) -> str:
    """Two passes' shapes as one: what grew with the networks is K, what grew with the rows B."""
    if first is None or second is None or len(first) != len(second):
        return ""
    return " × ".join(_letter(one, other) for one, other in zip(first, second, strict=True))


def _letter(one: int, other: int) -> str:
    (networks, rows), (more_networks, more_rows) = FIRST, SECOND
    if one == other:
        return str(one)
    for letters, size, grown in (
        ("K", networks, more_networks),
        ("B", rows, more_rows),
        ("K·B", networks * rows, more_networks * more_rows),
    ):
        if one % size == 0 and one * grown == other * size:
            return letters if one == size else f"{letters}·{one // size}"
    return "?"
