"""Layers that a training leaves as they are."""

from collections.abc import Sequence

from torch import nn

from dlplugin.errors import DefinitionError

__all__ = ["freeze"]


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Takes the gradient of these layers away, and with it every step, decay and penalty.

    Args:
        network: Whose layers.
        names: A parameter ("output.bias"), a layer ("output") or all layers below a name ("hidden").

    Raises:
        DefinitionError: A name fits nothing, or nothing is left to train.
    """
    parameters = dict(network.named_parameters())
    for wanted in names:
        below = wanted.rstrip(".") + "."
        found = [name for name in parameters if name == wanted or name.startswith(below)]
        if not found:
            layers = dict.fromkeys(name.rpartition(".")[0] or name for name in parameters)
            raise DefinitionError(
                f"freeze has {wanted!r}, but there is no such layer; there are: {', '.join(layers)}"
            )
        for name in found:
            parameters[name].requires_grad_(False)
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise DefinitionError(f"freeze is {list(names)!r}, which are all layers; leave one to train")
