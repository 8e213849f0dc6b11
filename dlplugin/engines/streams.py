"""Random streams: one for each network, epoch and purpose, from the seed alone."""

from enum import IntEnum

import numpy as np
import torch

__all__ = ["Purpose", "streams"]


class Purpose(IntEnum):
    """What a random stream is for; the numbers are part of every seed, and never change."""

    ORDER = 0  # in epoch 0: the initial weights
    DROPOUT = 1
    SAMPLING = 2
    NOISE = 3
    MASKING = 4
    MAGNITUDE = 5


def streams(
    seed: int, networks: int, epoch: int, purpose: Purpose, device: torch.device | str = "cpu"
) -> list[torch.Generator]:
    """A random stream for each network, from the seed, the epoch and the purpose alone.

    Args:
        seed: The training's seed.
        networks: K; network k's stream does not depend on it.
        epoch: From 1; 0 is before the training.
        purpose: Streams of different purposes have nothing in common.
        device: Where they draw.
    """
    return [_stream(seed, k, epoch, int(purpose), device) for k in range(networks)]


def _stream(seed: int, network: int, epoch: int, purpose: int, device: torch.device | str) -> torch.Generator:
    state = np.random.SeedSequence([seed, network, epoch, purpose]).generate_state(2, np.uint32)
    generator = torch.Generator(device)
    generator.manual_seed(int(state[0]) << 31 | int(state[1]))
    return generator
