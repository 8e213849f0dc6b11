"""Integrated gradients of a network's answer, by captum, which an extra brings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dlplugin.definition import Head
from dlplugin.errors import DLPluginError

__all__ = ["Answer", "answer_of", "integrated_gradients"]

Matrix = NDArray[np.float32]
FloatArray = NDArray[np.float64]
Answer = Callable[[Tensor], Tensor]  # (K, B, N) to (B,)

CELLS_AT_ONCE = 2**18  # of rows on their ways; what a gradient keeps of each is some fifty times that


def answer_of(head: Head, label: int, probabilities: bool) -> Answer:
    """The one number that is attributed, from what K networks give; as `decode` computes it, but scaled.

    Args:
        head: Which columns answer the output.
        label: Of classes, the one whose mean probability or score it is; others do not use it.
        probabilities: Whether columns of classes make probabilities.

    Returns:
        (K, B, N) to (B,): the number, the middle quantile, or the probability or score of the class.
    """

    def number(given: Tensor) -> Tensor:
        return given[..., head.first].mean(dim=0)

    def quantile(given: Tensor) -> Tensor:
        ordered = given[..., head.columns].mean(dim=0).sort(dim=-1).values
        return (ordered[..., (head.size - 1) // 2] + ordered[..., head.size // 2]) / 2

    def of_class(given: Tensor) -> Tensor:
        own = given[..., head.columns]
        if head.size == 1:  # one score speaks for the upper of two classes
            own = torch.cat([torch.zeros_like(own) if probabilities else -own, own], dim=-1)
        return (own.softmax(dim=-1) if probabilities else own)[..., label].mean(dim=0)

    return {"number": number, "quantiles": quantile, "classes": of_class}[head.kind]


def integrated_gradients(
    network: nn.Module, networks: int, answer: Answer, rows: Matrix, baseline: Matrix, steps: int
) -> tuple[FloatArray, FloatArray]:
    """What each cell of each row adds to the answer (Sundararajan, Taly and Yan, 2017).

    The attribution of a cell is its distance from the baseline times the mean of the answer's gradient
    along the straight way from the baseline to the row, by Gauss-Legendre quadrature.

    Args:
        network: Of K networks, in evaluation mode.
        networks: K.
        answer: What is attributed.
        rows: (S, ...) as the network reads them.
        baseline: (...), where every way begins.
        steps: Points of the quadrature.

    Returns:
        (S, ...) attributions, and (S,) their sums less the difference of the answers at row and baseline,
        which is 0 but for the quadrature and rounding.

    Raises:
        DLPluginError: captum is not installed.
    """
    method = _captum()(lambda given: answer(network(given.expand(networks, *given.shape))))
    at_once = max(1, CELLS_AT_ONCE // (steps * baseline.size))
    attributions, gaps = np.empty(rows.shape), np.empty(len(rows))
    start = torch.from_numpy(baseline)[None]
    for first in range(0, len(rows), at_once):
        part = slice(first, first + at_once)
        found, gap = method.attribute(
            torch.from_numpy(rows[part]), baselines=start, n_steps=steps, return_convergence_delta=True
        )
        attributions[part], gaps[part] = found.detach().numpy(), gap.numpy()
    return attributions, gaps


def _captum() -> Any:
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise DLPluginError(
            "attributions need captum, which is not installed; install it with: pip install 'dlplugin[explain]'"
        ) from None
    return IntegratedGradients
