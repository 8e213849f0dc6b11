"""The share that one process has in a training: which rows of every batch, and sums over all processes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ALONE", "Share"]


@dataclass(frozen=True)
class Share:
    """One of several processes that train the same networks, each on its rows of every batch.

    Attributes:
        rank: From 0; that one decides and writes.
        processes: How many there are, on all machines.
        machines: On which there are equally many.
    """

    rank: int = 0
    processes: int = 1
    machines: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.processes == 1

    @property
    def local_processes(self) -> int:
        """How many there are on this machine."""
        return self.processes // self.machines

    def of(self, count: int) -> slice:
        """The rows that are this process's own, of so many; there may be none.

        >>> [Share(rank, 3).of(7) for rank in range(3)]
        [slice(0, 2, None), slice(2, 4, None), slice(4, 7, None)]
        """
        return slice(count * self.rank // self.processes, count * (self.rank + 1) // self.processes)

    def read(self, count: int) -> slice:
        """The same, but one row at least, as not every network can do with none; it is cut off again."""
        own = self.of(count)
        return slice(own.start, max(own.stop, own.start + 1))

    def total(self, values: "Tensor") -> "Tensor":
        """The sum over all processes, to the bit the same in each of them."""
        from torch import distributed  # which only several processes need

        added = values.detach().cpu().clone()
        distributed.all_reduce(added)
        return added.to(values.device)


ALONE = Share()
"""A training in one process."""
