"""A training that begins with another model's weights, where they fit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlplugin.definition import Definition, Input, Output, TrainingOptions
from dlplugin.errors import DefinitionError
from dlplugin.store import Trained, TrainingState

__all__ = ["WarmStart", "warm_start"]


@dataclass(frozen=True)
class WarmStart:
    """What became of another model's weights.

    Attributes:
        source: The other model: "us-5d@1", or a run's name.
        fits: The layers that begin with its weights.
        anew: The layers that begin as if there were no other, and why.
        others: What the other model's engine, inputs or outputs are, where they are not the same ones.
    """

    source: str
    fits: tuple[str, ...]
    anew: dict[str, str]
    others: tuple[str, ...]

    def __str__(self) -> str:
        anew = ", ".join(f"{layer} ({why})" for layer, why in self.anew.items())
        parts = [f"starts from {self.source}: {', '.join(self.fits)} fit"]
        return "; ".join([*parts, *([f"anew: {anew}"] if anew else []), *self.others])


def warm_start(
    definition: Definition, options: TrainingOptions, source: str, trained: Trained
) -> tuple[TrainingState, WarmStart]:
    """The weights to begin with: the other model's where name and shape are the same, new ones elsewhere.

    Network k begins with the other's network k, counted anew from 0 where that has fewer.

    Args:
        definition: What is to be trained.
        options: Their seed and initialisation give the weights that begin anew.
        source: What to call the other model.
        trained: The other model.

    Raises:
        DefinitionError: No layer fits.
    """
    from dlplugin.engines import build_network  # torch

    network = build_network(
        definition, options.networks, options.seed, options.initialisation, options.zero_biases
    )
    weights: dict[str, NDArray[np.float32]] = {}
    anew: dict[str, str] = {}
    called = _called_there(definition, trained.definition)
    for name, parameter in network.state_dict().items():
        own = parameter.numpy()
        weights[name], layer = own, name.rpartition(".")[0]
        other = trained.weights.get(called(name))
        if other is None:
            anew[layer] = "not there"
        elif other.shape[1:] != own.shape[1:]:
            anew.setdefault(layer, f"{_shape(other)} there, {_shape(own)} here")
        else:
            weights[name] = other[np.arange(options.networks) % len(other)]
    layers = dict.fromkeys(name.rpartition(".")[0] for name in weights)
    others = _others(definition, source, trained.definition)
    result = WarmStart(source, tuple(layer for layer in layers if layer not in anew), anew, others)
    if not result.fits:
        reasons = ", ".join(f"{layer} ({why})" for layer, why in anew.items())
        raise DefinitionError(
            f"no layer of {source} fits {definition.name!r}: {reasons}; leave out start_from"
        )
    for layer in anew:
        for name in options.freeze:
            if f"{layer}.".startswith(f"{name}."):
                raise DefinitionError(
                    f"freeze is {name!r}, but {layer} begins anew ({anew[layer]}); leave it out"
                )
    for name, own in network.state_dict().items():
        if name.rpartition(".")[0] in anew:
            weights[name] = own.numpy()
    return TrainingState(weights, {"epoch": 0}), result


def _called_there(definition: Definition, other: Definition) -> Callable[[str], str]:
    """What a weight is called in the other's network: one behind embeddings stands below "network"."""
    here, there = (any(item.embedding is not None for item in each.inputs) for each in (definition, other))
    if here == there:
        return str
    return (lambda name: name.removeprefix("network.")) if here else (lambda name: f"network.{name}")


def _others(definition: Definition, source: str, other: Definition) -> tuple[str, ...]:
    """Weights know their inputs and outputs by place alone, and a name means another layer in another engine."""
    found = []
    if definition.spec.name != other.spec.name:
        found.append(f"mind that {source} has another engine: {other.spec.name}")
    for kind in ("inputs", "outputs"):
        here, there = ([_told(item) for item in getattr(each, kind)] for each in (definition, other))
        if here != there:
            found.append(f"mind that {source} has other {kind}: {', '.join(there)}")
    return tuple(found)


def _told(item: Input | Output) -> str:
    """Its expression; symbols stand with it, since their vectors are taken over by their places."""
    if isinstance(item, Input) and item.is_symbol:
        return f"{item.indicator} ({' '.join(map(str, item.categories or ()))})"
    return item.indicator


def _shape(weights: NDArray[Any]) -> str:
    return " × ".join(map(str, weights.shape[1:]))
