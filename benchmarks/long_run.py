"""A hundred thousand epochs of a tiny model: neither time nor memory of an epoch grows."""

import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

import dlplugin as dl
from dlplugin.samples import build_samples
from dlplugin.store import HistoryFile, RunFolder
from dlplugin.training.fit import fit
from dlplugin.training.journal import RunJournal

EARLY = 1_000
WINDOW = 500  # epochs


class Watched(RunJournal):
    """Notes processor time and memory every few epochs."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder, 0)
        self.seen: list[tuple[int, float, int]] = []

    def add_epoch(self, row: tuple[float | int | str, ...]) -> None:
        super().add_epoch(row)
        if int(row[0]) % WINDOW == 0:
            self.seen.append((int(row[0]), time.process_time(), resident()))


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def measure(quick: bool) -> dict[str, float]:
    """Name of the comparison to the end's value over that at epoch 1,000; of processor time, not of wall time."""
    epochs = 20_000 if quick else 100_000
    stocks = dl.DataSet.bundled("us-stocks")
    dataset = dl.DataSet.from_frames("tiny", {"IBM": stocks["IBM"].iloc[:400]})
    model = dl.Model("tiny", ["RSI(14)"], [dl.Output("ROC(5)", look_ahead=5)], dl.MLP(hidden=[4]))
    samples = build_samples(model.definition, dataset, dl.resolve_split(dataset, dl.Split()))
    options = dl.TrainingOptions(epochs=epochs, auto_stop=None, device="cpu")
    with TemporaryDirectory() as store:
        files = {"history.csv": HistoryFile.head(), "save-point/definition.json": b"{}"}
        journal = Watched(RunFolder.create(Path(store), {}, files))
        fit(samples, options, journal, console=Console(file=io.StringIO()))
    seen = np.array(journal.seen)
    an_epoch = np.diff(seen[:, 1]) / WINDOW
    early, late = seen[1:-1, 0] <= 5 * EARLY, seen[1:-1, 0] > epochs - 5 * EARLY
    at = int(np.searchsorted(seen[:, 0], EARLY))
    return {
        f"{epochs:,} epochs: time of an epoch at the end / at epoch 1,000": float(
            np.median(an_epoch[1:][late]) / np.median(an_epoch[1:][early])
        ),
        f"{epochs:,} epochs: memory at the end / at epoch 1,000": float(seen[-1, 2] / seen[at, 2]),
    }


if __name__ == "__main__":
    for name, ratio in measure(quick=False).items():
        print(f"{ratio:8.3f}  {name}")
