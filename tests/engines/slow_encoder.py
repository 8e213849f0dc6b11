"""An encoder in NumPy, one place and one number after another."""

from math import cos, sin, sqrt

import numpy as np

import dlplugin as dl
from tests.engines.windows import ACTIVATIONS, slow_linear, slow_norm, slow_softmax

__all__ = ["slow_attention", "slow_encoder", "slow_waves"]

Weights = dict[str, np.ndarray]


def slow_attention(weights: Weights, name: str, places: np.ndarray, heads: int) -> np.ndarray:
    """(P, E) to (P, E)."""
    query, key, value = (
        np.stack([slow_linear(weights, f"{name}.{part}", row) for row in places])
        for part in ("query", "key", "value")
    )
    share = places.shape[1] // heads
    found = np.zeros_like(places)
    for head in range(heads):
        own = slice(head * share, (head + 1) * share)
        for place in range(len(places)):
            scores = np.array([query[place, own] @ other / sqrt(share) for other in key[:, own]])
            for weight, other in zip(slow_softmax(scores), value[:, own], strict=True):
                found[place, own] += weight * other
    return np.stack([slow_linear(weights, f"{name}.join", row) for row in found])


def slow_waves(places: int, width: int) -> np.ndarray:
    """(P, E)."""
    waves = np.zeros((places, width))
    for place in range(places):
        for column in range(width):
            angle = place / 10000 ** (2 * (column // 2) / width)
            waves[place, column] = cos(angle) if column % 2 else sin(angle)
    return waves


def slow_encoder(weights: Weights, options: dl.Transformer | dl.PatchTST, places: np.ndarray) -> np.ndarray:
    """(P, E) to (P, E)."""
    if options.positions == "learned":
        places = places + weights["encoder.positions.weight"]
    else:
        places = places + slow_waves(*places.shape)
    for index in range(options.layers):
        name = f"encoder.blocks.{index}"
        normed = np.stack([slow_norm(weights, f"{name}.attention_norm", row) for row in places])
        places = places + slow_attention(weights, f"{name}.attention", normed, options.heads)
        added = []
        for row in places:
            inner = slow_linear(
                weights, f"{name}.feed_forward.0", slow_norm(weights, f"{name}.forward_norm", row)
            )
            added.append(
                slow_linear(weights, f"{name}.feed_forward.2", ACTIVATIONS[options.activation](inner))
            )
        places = places + np.stack(added)
    return np.stack([slow_norm(weights, "encoder.norm", row) for row in places])
