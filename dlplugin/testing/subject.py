"""What the checks of an engine have in common: definitions, networks and rows of it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from dlplugin.definition import Definition, EngineOptions, EngineSpec, Input, Output
from dlplugin.engines import build_network
from dlplugin.errors import DefinitionError, EngineError

__all__ = ["CLOSE", "Subject", "difference", "initial", "refuse_difference", "tensors_of"]

CLOSE = 1e-5  # of the largest output: what rounding may differ by


@dataclass(frozen=True)
class Subject:
    """The engine under check.

    Attributes:
        options: Of the engine.
        spec: Of the engine.
        depth: Bars of each input.
    """

    options: EngineOptions
    spec: EngineSpec
    depth: int

    def definition(self, inputs: int = 3, outputs: int = 2, depth: int | None = None) -> Definition:
        """A model of this engine, with as many inputs and numbers as outputs.

        Raises:
            DefinitionError: The options do not suit rows of such a shape.
        """
        return Definition(
            "check",
            [Input(f"ROC({n})", depth=depth or self.depth) for n in range(1, inputs + 1)],
            [Output(f"ROC({n})", look_ahead=1) for n in range(1, outputs + 1)],
            self.options,
        )

    def network(self, networks: int, seed: int = 0) -> nn.Module:
        """K networks of the usual definition, with the initial weights of a seed, in evaluation mode."""
        return build_network(self.definition(), networks, seed).eval()

    def definitions(self) -> Iterator[Definition]:
        """The usual one first, then smaller and larger ones, but for those that the options refuse.

        Raises:
            DefinitionError: The options refuse the usual one.
        """
        yield self.definition()
        for sizes in ((1, 1, None), (5, 7, None), (2, 3, self.depth + 1), (2, 3, 2 * self.depth)):
            try:
                yield self.definition(*sizes)
            except DefinitionError:
                continue

    def rows(self, networks: int, count: int, seed: int = 0, definition: Definition | None = None) -> Tensor:
        """(K, B, D) or (K, B, W, F) standard normal values, as scaled inputs are; others for each network."""
        row = (definition or self.definition()).shapes().row
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(networks, count, *row, generator=generator)

    def with_dropout(self, share: float) -> "Subject":
        """The same with another share of dropout; itself where there is no such option."""
        if "dropout" not in {field.name for field in fields(self.options)}:
            return self
        return replace(self, options=cast(EngineOptions, replace(cast(Any, self.options), dropout=share)))


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Copies of all that is stored of a network: name to (K, ...).

    Raises:
        EngineError: Something of it is no tensor.
    """
    stored: dict[str, object] = dict(network.state_dict())
    for name, value in stored.items():
        if not isinstance(value, Tensor):
            raise EngineError(
                f"its state has {name!r}, a {type(value).__name__}, but only tensors are stored"
            )
    return {name: value.clone() for name, value in network.state_dict().items()}


def initial(subject: Subject, networks: int, seed: int = 0) -> dict[str, Tensor]:
    """The initial weights of K networks."""
    return tensors_of(subject.network(networks, seed))


def difference(wanted: Tensor, got: Tensor) -> float:
    """The largest difference, as a share of the largest value wanted; infinite where one is NaN."""
    if not (torch.isfinite(wanted).all() and torch.isfinite(got).all()):
        return float("inf")
    scale = float(wanted.abs().max())
    apart = float((wanted - got).abs().max())
    return apart / scale if scale else (float("inf") if apart else 0.0)


def refuse_difference(wanted: Tensor, got: Tensor, message: str, most: float = 0.0) -> None:
    """Raises with the message when two outputs differ.

    Args:
        wanted: Any shape.
        got: The same shape.
        message: What the difference means.
        most: As a share of the largest value wanted; 0 compares to the bit.

    Raises:
        EngineError: They differ by more.
    """
    if most:
        apart = difference(wanted, got)
        if apart > most:
            raise EngineError(f"{message}: they differ by {apart:.1g} of their scale, more than {most:g}")
        return
    if wanted.dtype == got.dtype and np.array_equal(wanted.numpy(), got.numpy(), equal_nan=False):
        return
    raise EngineError(
        f"{message}: they differ by {difference(wanted, got):.1g} of their scale, and must not in a bit"
    )
