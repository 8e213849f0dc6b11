"""Training an MLP 20-64-32-1 with everything on, against bare PyTorch loops and Lightning as it is used plainly."""

import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from measure import medians
from rich.console import Console
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import dlplugin as dl
from dlplugin.samples import Samples, build_samples
from dlplugin.store import HistoryFile, RunFolder
from dlplugin.training.fit import fit
from dlplugin.training.journal import RunJournal


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))


def samples(count: int, depth: int = 10, engine: Any = None) -> Samples:
    """A random walk whose two inputs, to their depths, and output are known on `count` in-sample bars."""
    rng = np.random.default_rng(0)
    bars = int(count / 0.8) + 60
    close = 100 * np.exp(np.cumsum(0.001 * rng.standard_normal(bars)))
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": 1.0},
        index=pd.date_range("1990-01-01", periods=bars, freq="min", name="date"),
    )
    dataset = dl.DataSet.from_frames("walk", {"WALK": frame})
    model = dl.Model(
        "speed",
        inputs=[dl.Input("ROC(1)", depth=depth), dl.Input("ROC(5)", depth=depth)],
        outputs=[dl.Output("ROC(1)", look_ahead=1)],
        engine=engine or dl.MLP(hidden=[64, 32]),
    )
    return build_samples(model.definition, dataset, dl.resolve_split(dataset, dl.Split(0.8, 0.2)))


def rows_of(made: Samples, span: str) -> tuple[Tensor, Tensor]:
    rows = made.rows[span]
    inputs = made.matrix[rows[:, None] - made.layout.back, made.layout.column]
    return torch.from_numpy(inputs), torch.from_numpy(made.targets[rows])


def bare(made: Samples, epochs: int, batch: int, fused: bool) -> Callable[[], None]:
    (inputs, targets), (seen, came) = (rows_of(made, span) for span in ("in-sample", "out-of-sample"))

    def run() -> None:
        torch.set_num_threads(1)
        model = network()
        adam = torch.optim.Adam(model.parameters(), fused=fused)
        for _ in range(epochs):
            for part in torch.split(torch.randperm(len(inputs)), batch):
                loss = nn.functional.mse_loss(model(inputs[part]), targets[part])
                adam.zero_grad()
                torch.autograd.backward(loss)
                adam.step()
            with torch.inference_mode():
                nn.functional.mse_loss(model(seen), came).item()

    return run


class Plain(lightning.LightningModule):
    """Lightning as its tutorials use it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = network()

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        loss = nn.functional.mse_loss(self.model(batch[0]), batch[1])
        self.log("in_sample", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        self.log("out_of_sample", nn.functional.mse_loss(self.model(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters())


def plain_lightning(made: Samples, epochs: int, batch: int) -> Callable[[], None]:
    sets = [TensorDataset(*rows_of(made, span)) for span in ("in-sample", "out-of-sample")]

    def run() -> None:
        torch.set_num_threads(1)
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(Plain(), DataLoader(sets[0], batch, shuffle=True), DataLoader(sets[1], batch))

    return run


def ours(made: Samples, epochs: int, batch: int, networks: int = 1) -> Callable[[], None]:
    options = dl.TrainingOptions(
        epochs=epochs, batch_size=batch, auto_stop=epochs, networks=networks, device="cpu"
    )

    def run() -> None:
        with TemporaryDirectory() as store:
            files = {"history.csv": HistoryFile.head(), "save-point/definition.json": b"{}"}
            folder = RunFolder.create(Path(store), {}, files)
            fit(made, options, RunJournal(folder, 0), console=Console(file=io.StringIO()))

    return run


def measure(quick: bool) -> dict[str, float]:
    """Name of the comparison to our time over the other's."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    ratios = {}
    cases = [(5_000, 256, 20 if quick else 60), (5_000, 1_024, 20 if quick else 60)]
    if not quick:
        cases.append((500_000, 1_024, 2))
    for count, batch, epochs in cases:
        made = samples(count)
        contenders = {
            "ours": ours(made, epochs, batch),
            "bare loop, default Adam": bare(made, epochs, batch, fused=False),
            "bare loop, fused Adam": bare(made, epochs, batch, fused=True),
        }
        if count <= 5_000:
            contenders["Lightning with DataLoader"] = plain_lightning(made, epochs, batch)
        seconds = medians(contenders, 3 if quick else 5)
        for name, taken in seconds.items():
            if name != "ours":
                ratios[f"train {count:,} samples, batch {batch:,} / {name}"] = seconds["ours"] / taken
    return ratios
