"""Training of engines that read windows, against bare PyTorch loops with PyTorch's own layers."""

from collections.abc import Callable
from typing import Any

import torch
from measure import medians
from torch import Tensor, nn
from training import ours, rows_of, samples

import dlplugin as dl
from dlplugin.samples import Samples

WINDOW, HIDDEN, BATCH, SMALL = 16, 32, 256, 32


class Recurrent(nn.Module):
    """PyTorch's own LSTM or GRU, and a linear map of the newest state."""

    def __init__(self, layer: type[nn.LSTM] | type[nn.GRU], features: int) -> None:
        super().__init__()
        self.layer = layer(features, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, windows: Tensor) -> Tensor:
        predicted: Tensor = self.output(self.layer(windows)[0][:, -1])
        return predicted


class Encoder(nn.Module):
    """PyTorch's own transformer encoder, normalising first, and a linear map of the newest bar."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features, HIDDEN)
        layer = nn.TransformerEncoderLayer(
            HIDDEN, 4, 2 * HIDDEN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(HIDDEN), enable_nested_tensor=False)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, windows: Tensor) -> Tensor:
        predicted: Tensor = self.output(self.encoder(self.embed(windows))[:, -1])
        return predicted


def bare(made: Samples, network: Callable[[], nn.Module], epochs: int) -> Callable[[], None]:
    """The loop that one would write by hand, with fused Adam."""
    (rows, targets), (seen, came) = (rows_of(made, span) for span in ("in-sample", "out-of-sample"))
    inputs, watched = (each.reshape(len(each), WINDOW, -1) for each in (rows, seen))

    def run() -> None:
        torch.set_num_threads(1)
        model = network()
        adam = torch.optim.Adam(model.parameters(), fused=True)
        for _ in range(epochs):
            model.train()
            for part in torch.split(torch.randperm(len(inputs)), BATCH):
                loss = nn.functional.mse_loss(model(inputs[part]), targets[part])
                adam.zero_grad()
                torch.autograd.backward(loss)
                adam.step()
            model.eval()
            with torch.inference_mode():
                nn.functional.mse_loss(model(watched), came).item()

    return run


def in_turn(networks: int, run: Callable[[], None]) -> Callable[[], None]:
    """The same training so many times, one after another."""

    def runs() -> None:
        for _ in range(networks):
            run()

    return runs


def measure(quick: bool) -> dict[str, float]:
    """Name of the comparison to our time over the other's."""
    count, epochs, rounds = (2_000, 2, 3) if quick else (10_000, 4, 5)
    contenders: dict[str, tuple[Any, Callable[[], nn.Module]]] = {
        "LSTM": (dl.LSTM(HIDDEN), lambda: Recurrent(nn.LSTM, 2)),
        "GRU": (dl.GRU(HIDDEN), lambda: Recurrent(nn.GRU, 2)),
        "transformer": (dl.Transformer(HIDDEN, 4, 2, 2 * HIDDEN, dropout=0.0), lambda: Encoder(2)),
    }
    ratios = {}
    for name, (engine, network) in contenders.items():
        made = samples(count, WINDOW, engine)
        seconds = medians({"ours": ours(made, epochs, BATCH), "bare": bare(made, network, epochs)}, rounds)
        ratios[f"train {name} on {count:,} windows, batch {BATCH} / bare loop, PyTorch's own layers"] = (
            seconds["ours"] / seconds["bare"]
        )
    few = samples(2_000, WINDOW, dl.GRU(16))
    together = {"at once": ours(few, 2, SMALL, 8), "in turn": in_turn(8, ours(few, 2, SMALL))}
    seconds = medians(together, rounds)
    ratios[f"train 8 GRU at once, batch {SMALL} / one after another"] = (
        seconds["at once"] / seconds["in turn"]
    )
    return ratios
