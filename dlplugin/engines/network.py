"""The network of a definition, with the weights and the random streams of a seed.

A network takes (K, B, D) for flat rows or (K, B, W, F) for windows and gives (K, B, N). K networks
lie side by side in every weight, and a row's output depends on that row alone.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from dlplugin.definition import Definition, EngineOptions, EngineSpec, Shapes, engine_title, weights_of
from dlplugin.engines.embedding import Embedded
from dlplugin.engines.layers import Dropout, Initialisation, Linear
from dlplugin.engines.streams import Purpose, streams
from dlplugin.errors import DLPluginError, EngineError, RegistryError

__all__ = ["build_network", "load_build", "output_layer", "seed_networks"]


def build_network(
    definition: Definition,
    networks: int,
    seed: int = 0,
    initialisation: Initialisation = "uniform",
    zero_biases: bool = False,
) -> nn.Module:
    """The definition's network, K of them, with the initial weights of the seed.

    Network k starts from the same weights whatever K is.

    Args:
        definition: Inputs, outputs and engine.
        networks: K.
        seed: Of the initial weights.
        initialisation: How every `Linear` begins, see there; layers with an `initialise` of their own
            begin as that says.
        zero_biases: Biases of every `Linear` begin at 0; the weights are the same without it.

    Raises:
        RegistryError: The engine's `build` cannot be imported.
        EngineError: It fails, or gives another network than the engine's options describe.
    """
    network = _built(definition.spec, definition.engine, definition.shapes(networks))
    if any(item.embedding is not None for item in definition.inputs):
        network = Embedded(definition, networks, network)
    generators = streams(seed, networks, 0, Purpose.ORDER)
    for name, layer in network.named_modules():
        if isinstance(layer, Linear):
            layer.initialise(generators, initialisation, zero_biases)
        elif callable(initialise := getattr(layer, "initialise", None)):
            _attempt(definition.spec, f"{name or 'the network'}.initialise", initialise, generators)
    return network


def load_build(spec: EngineSpec) -> Callable[[EngineOptions, Shapes], object]:
    """The function of an engine that builds its networks, imported.

    Raises:
        RegistryError: It cannot be.
    """
    module, _, name = spec.build.partition(":")
    try:
        build: Callable[[EngineOptions, Shapes], object] = getattr(import_module(module), name)
    except Exception as error:  # whatever a package does when it is imported
        title = engine_title(spec.name)
        raise RegistryError(f"{title} cannot be loaded from {spec.build!r}: {_reason(error)}") from error
    return build


def _built(spec: EngineSpec, options: EngineOptions, shapes: Shapes) -> nn.Module:
    """What an engine's `build` gives, held to what its options say of it."""
    title, build = engine_title(spec.name), load_build(spec)
    network = _attempt(spec, f"{spec.build} with {shapes}", build, options, shapes)
    if not isinstance(network, nn.Module):
        raise EngineError(f"{title}: {spec.build} gives {network!r}, but must give a torch.nn.Module")
    for weight, value in network.named_parameters():
        if value.dim() == 0 or value.shape[0] != shapes.networks:
            raise EngineError(
                f"{title} has a weight {weight!r} of shape {tuple(value.shape)}, but the first dimension is the "
                f"{shapes.networks} networks; build it of the layers in dlplugin.engines"
            )
    learned = sum(value.numel() for value in network.parameters())
    wanted = weights_of(options, shapes) * shapes.networks
    if learned != wanted:
        raise EngineError(
            f"{title} learns {learned} numbers with {shapes}, but {type(options).__name__}.weights says {wanted} for "
            "these networks; correct the one or the other"
        )
    return network


def _attempt(spec: EngineSpec, what: str, call: Callable[..., Any], *arguments: object) -> Any:
    try:
        return call(*arguments)
    except DLPluginError:
        raise
    except Exception as error:
        raise EngineError(f"{engine_title(spec.name)} fails in {what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def output_layer(network: nn.Module) -> nn.Module | None:
    """The layer that gives the outputs: the engine's attribute `output`, or else its last `Linear`."""
    own = network.network if isinstance(network, Embedded) else network
    named = getattr(own, "output", None)
    if isinstance(named, nn.Module):
        return named
    return next((layer for layer in reversed(list(own.modules())) if isinstance(layer, Linear)), None)


def seed_networks(network: nn.Module, seed: int, epoch: int, samples: int) -> Tensor:
    """Starts the random streams of an epoch; a state between epochs needs no generator of its own.

    Args:
        network: Its dropout layers draw from the streams of this epoch.
        seed: The training's seed.
        epoch: From 1.
        samples: S, how many there are to put in order.

    Returns:
        (K, S) int64, the order of the samples for each network; network k's streams do not depend on K.
    """
    networks = next(network.parameters()).shape[0]
    device = next(network.parameters()).device
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.generators = streams(seed, networks, epoch, Purpose.DROPOUT, device)
    generators = streams(seed, networks, epoch, Purpose.ORDER)
    return torch.stack([torch.randperm(samples, generator=generator) for generator in generators])
