"""What there is to train on, what of it is used, and both in words. Torch is imported only when it is asked."""

import os
from dataclasses import dataclass

from dlplugin.definition import TrainingOptions
from dlplugin.definition.sharing import refuse_fewer
from dlplugin.errors import TrainingError

__all__ = ["Devices", "choose_devices"]

ONE = {"cuda": "NVIDIA GPU", "mps": "Apple GPU", "gpu": "GPU"}


@dataclass(frozen=True)
class Devices:
    """What a training runs on.

    Attributes:
        kind: "cpu", "cuda" or "mps".
        count: GPUs, or processes on the CPU, of this machine.
        machines: That have as many each.
        found: What there is, in words.
        gpus: How many GPUs there are.
        precision: Of the options.
    """

    kind: str
    count: int
    machines: int
    found: str
    gpus: int
    precision: str = "fp32"

    @property
    def processes(self) -> int:
        """Of all machines together."""
        return self.count * self.machines

    def text(self, threads: int) -> str:
        """What was found and what is used, in one line.

        Args:
            threads: Of each process on the CPU.
        """
        precision = "" if self.precision == "fp32" else f", in {self.precision}"
        others = (
            f", and on as much of {_plural(self.machines - 1, 'other machine')}" if self.machines > 1 else ""
        )
        return f"found {self.found}; trains on {self._used(threads)}{precision}{others}"

    def _used(self, threads: int) -> str:
        if self.kind == "cpu":
            in_processes = f" in {self.count} processes" if self.count > 1 else ""
            each = " each" if self.count > 1 else ""
            return f"the CPU{in_processes} with {threads} of {_plural(_cores(), 'thread')}{each}"
        if self.count == self.gpus:
            return "it" if self.count == 1 else "both" if self.count == 2 else f"all {self.count}"
        first = "the first" if self.count == 1 else f"the first {self.count}"
        return f"{first}; devices='all' uses {'both' if self.gpus == 2 else f'all {self.gpus}'}"


def choose_devices(options: TrainingOptions) -> Devices:
    """What these options train on, on this machine.

    Raises:
        TrainingError: What was asked for is not there, or not as often.
        DefinitionError: More processes share a batch than it has samples.
    """
    import torch

    cuda, mps = (
        torch.cuda.device_count() if torch.cuda.is_available() else 0,
        int(torch.backends.mps.is_available()),
    )
    there = {"cuda": cuda, "mps": mps, "gpu": cuda or mps}
    if not there.get(options.device, 1):
        raise TrainingError(
            f"device is {options.device!r}, but there is {_none_of(options.device)} that torch can use; "
            "use device='auto'"
        )
    kind = str(options.device)
    if kind in ("auto", "gpu"):
        kind = "cuda" if cuda else "mps" if mps else "cpu"
    found = _named(cuda, mps)
    count = _count(kind, there.get(kind, _cores()), options)
    if isinstance(options.batch_size, int):
        refuse_fewer(options.batch_size, count * options.machines)
    return Devices(kind, count, options.machines, found, there.get(kind, 0), options.precision)


def _count(kind: str, there: int, options: TrainingOptions) -> int:
    if options.devices == "all":
        count = there
    else:
        count = options.devices
        if kind == "cuda" and count > there:
            raise TrainingError(
                f"devices is {count}, but this machine has {_plural(there, 'GPU')}; use devices='all'"
            )
    if kind == "mps" and count * options.machines > 1:
        name = "machines" if options.machines > 1 else "devices"
        raise TrainingError(
            f"{name} is {getattr(options, name)}, but an Apple GPU shares with no other; use {name}=1, or device='cpu'"
        )
    return count


def _none_of(device: str) -> str:
    """As a sentence has it that there is none."""
    return "none" if device == "gpu" else f"no {ONE[device]}"


def _named(cuda: int, mps: int) -> str:
    if not cuda:
        return "an Apple GPU" if mps else "no GPU"
    import torch

    about = torch.cuda.get_device_properties(0)
    return f"{_plural(cuda, 'GPU')} ({about.name}, {about.total_memory / 1e9:.0f} GB)"


def _cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
