"""Lightning's part in it: the strategy by which processes share every batch, and the precision plugins."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.pytorch.plugins import MixedPrecision
from lightning.pytorch.strategies import DDPStrategy

from dlplugin.training.devices.share import Share

__all__ = ["SharedBatches", "precision_plugins"]


FIRST_SCALE = 2.0**10  # of fp16 gradients: PyTorch's 2¹⁶ lets the first steps of many a network be skipped


class SharedBatches(DDPStrategy):
    """Lightning's DDP among processes that have met already: it starts none and listens nowhere.

    Its own launcher would run the user's script again in every process.
    """

    def __init__(self, share: Share) -> None:
        super().__init__(
            cluster_environment=_Met(share),
            broadcast_buffers=False,  # the samples, the same in each process
        )
        self._share = share

    def _configure_launcher(self) -> None:
        """There is nothing to launch."""

    def barrier(self, *args: Any, **kwargs: Any) -> None:
        """Waits for all processes, on the CPU: which GPU is whose is not known at first."""
        self._share.total(torch.zeros(1))


class _Met(ClusterEnvironment):
    """Who is who; the address is not asked for, as the process group is there before Lightning begins."""

    def __init__(self, share: Share) -> None:
        self._share = share

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        raise NotImplementedError

    @property
    def main_port(self) -> int:
        raise NotImplementedError

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._share.processes

    def set_world_size(self, size: int) -> None:
        """It is known."""

    def global_rank(self) -> int:
        return self._share.rank

    def set_global_rank(self, rank: int) -> None:
        """It is known."""

    def local_rank(self) -> int:
        return self._share.rank % self._share.local_processes

    def node_rank(self) -> int:
        return self._share.rank // self._share.local_processes


class _InTheNetworkAlone(MixedPrecision):
    """Mixed precision that the module asks for around its network, where Lightning's is around the whole step."""

    @contextmanager
    def train_step_context(self) -> Iterator[None]:
        yield


def precision_plugins(precision: str, kind: str) -> list[Any]:
    """What the Trainer needs for "bf16" or "fp16" on "cpu", "cuda" or "mps"; nothing for "fp32"."""
    if precision == "fp32":
        return []
    if precision == "bf16":
        return [_InTheNetworkAlone("bf16-mixed", kind)]
    return [_InTheNetworkAlone("16-mixed", kind, torch.amp.GradScaler(kind, init_scale=FIRST_SCALE))]
