"""The Lightning module: data resident on the device, one training_step for a chunk of minibatches.

Lightning's cost for each step and each batch is many times that of a small network's own work. So
the samples stay on the device and are sliced by index, a step covers up to 256 minibatches, and only
the last of them goes through Lightning's wrapped optimizer, which is what counts steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dlplugin.definition import TrainingOptions
from dlplugin.engines import RowReader, build_network, seed_networks
from dlplugin.samples import Samples

__all__ = ["EpochLosses", "TrainingModule"]

MINIBATCHES_A_STEP = 256
CELLS_AT_ONCE = 1 << 22  # cells of the matrix read in one go: 16 MiB in float32


@dataclass(frozen=True)
class EpochLosses:
    """What one epoch gave.

    Attributes:
        epoch: From 1.
        in_sample: (K,) as met while the weights moved, dropout included.
        out_of_sample: (K,) with the weights at the epoch's end; None when there is no such span.
        in_sample_accuracy: (K,) share of right classes, as met; None where no output has classes.
        out_of_sample_accuracy: (K,) likewise, with the weights at the epoch's end.
        out_of_sample_correlation: (K,) of predicted numbers with what came; None where not monitored.
    """

    epoch: int
    in_sample: tuple[float, ...]
    out_of_sample: tuple[float, ...] | None
    in_sample_accuracy: tuple[float, ...] | None = None
    out_of_sample_accuracy: tuple[float, ...] | None = None
    out_of_sample_correlation: tuple[float, ...] | None = None


class TrainingModule(lightning.LightningModule):
    """K networks in training on one set of samples.

    Args:
        samples: The in-sample rows train; the out-of-sample rows are only looked at.
        options: Learning rate, batch size, seed and so on.

    Attributes:
        first_epoch: Epochs that were done before this fit began.
        before_minibatch: Called with how many samples of the epoch are done; what it raises ends the
            training in the middle of the epoch.
    """

    matrix: Tensor
    targets: Tensor
    in_sample_rows: Tensor
    out_of_sample_rows: Tensor
    order: Tensor
    _loss_sum: Tensor

    def __init__(self, samples: Samples, options: TrainingOptions) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.options = options
        whole = len(samples.rows["in-sample"])
        self.batch_size = whole if options.batch_size == "full" else options.batch_size
        self.first_epoch = 0
        self.before_minibatch: Callable[[int], None] = lambda done: None
        self._optimizer_state: dict[int, dict[str, Tensor]] = {}
        self.network = build_network(samples.definition, options.networks, options.seed)
        self.reader = RowReader(samples.layout, samples.matrix.shape[1])
        nothing = np.empty(0, dtype=np.int64)
        for name, array in {
            "matrix": samples.matrix,
            "targets": samples.targets,
            "in_sample_rows": samples.rows["in-sample"],
            "out_of_sample_rows": samples.rows.get("out-of-sample", nothing),
        }.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam with decoupled weight decay, fused into one call (Kingma and Ba, 2015)."""
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.options.learning_rate,
            weight_decay=self.options.weight_decay,
            fused=True,
        )
        if self._optimizer_state:
            groups = self._optimizer.state_dict()["param_groups"]
            self._optimizer.load_state_dict({"state": self._optimizer_state, "param_groups": groups})
        return self._optimizer

    @property
    def epoch(self) -> int:
        """The epoch under way, from 1; between epochs the one that has just ended."""
        return self.first_epoch + self.current_epoch + 1

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next epoch depends on, between epochs: tensors, and plain values beside them."""
        tensors = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            for key, value in state.items():
                if value is not None:
                    tensors[f"optimizer/{index}/{key}"] = value
        return tensors, {}

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Takes over what `training_state` gave, before the fit begins; the next epoch is as it would have been."""
        self.network.load_state_dict(
            {
                name.removeprefix("network/"): value
                for name, value in tensors.items()
                if name.startswith("network/")
            }
        )
        for name, value in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimizer":
                index, _, key = rest.partition("/")
                self._optimizer_state.setdefault(int(index), {})[key] = value

    def end_epoch(self, monitored: float | None) -> None:
        """Hears how the epoch went.

        Args:
            monitored: The mean over the networks of the monitored value, turned so that lower is better.
        """

    def running_loss(self) -> float:
        """The mean in-sample loss of the epoch so far."""
        return float(self._loss_sum.mean() / max(self._seen, 1))

    def kept_weights(self) -> dict[str, Tensor]:
        """The weights that are evaluated and kept, (K, ...) each."""
        return self.network.state_dict()

    def train_dataloader(self) -> DataLoader[int]:
        """The numbers of the epoch's steps; the samples themselves are on the device already."""
        steps = -(-len(self.in_sample_rows) // self._samples_a_step)
        return DataLoader(cast(Any, range(steps)), batch_size=None)

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        optimizer = cast(Any, self.optimizers())
        return float(optimizer.param_groups[0]["lr"])

    def on_train_epoch_start(self) -> None:
        """Puts the samples in this epoch's order."""
        order = seed_networks(self.network, self.options.seed, self.epoch, len(self.in_sample_rows))
        self.order = order.to(self.device)
        self._loss_sum = torch.zeros(self.options.networks, device=self.device)
        self._seen = 0

    def training_step(self, step: int) -> None:
        """Trains on up to `MINIBATCHES_A_STEP` minibatches."""
        optimizer = cast(Any, self.optimizers())
        begin = step * self._samples_a_step
        end = min(begin + self._samples_a_step, len(self.in_sample_rows))
        size = self.batch_size
        at_once = max(
            size, CELLS_AT_ONCE // (self.reader.cells.numel() * self.options.networks) // size * size
        )
        for first in range(begin, end, at_once):
            rows = self.in_sample_rows[self.order[:, first : min(first + at_once, end)]]  # (K, n)
            inputs = self.reader(self.matrix, rows)  # (K, n, D) or (K, n, W, F)
            targets = self.targets[rows]  # (K, n, O)
            for start in range(0, rows.shape[1], size):
                self.before_minibatch(first + start)
                errors = self.network(inputs[:, start : start + size]) - targets[:, start : start + size]
                losses = errors.square().mean(dim=(1, 2))  # (K,)
                optimizer.optimizer.zero_grad(set_to_none=True)
                losses.sum().backward()
                is_last = first + start + size >= end
                (optimizer if is_last else optimizer.optimizer).step()
                self._loss_sum += losses.detach() * errors.shape[1]
                self._seen += errors.shape[1]

    def epoch_losses(self) -> EpochLosses:
        """The losses of the epoch that has just ended."""
        out_of_sample = self._evaluate() if len(self.out_of_sample_rows) else None
        return EpochLosses(
            epoch=self.epoch,
            in_sample=tuple((self._loss_sum / len(self.in_sample_rows)).tolist()),
            out_of_sample=None if out_of_sample is None else tuple(out_of_sample.tolist()),
        )

    def _evaluate(self) -> Tensor:
        """(K,) mean squared error over the whole out-of-sample span."""
        self.network.eval()
        at_once = max(1, CELLS_AT_ONCE // (self.reader.cells.numel() * self.options.networks))
        total = torch.zeros(self.options.networks, device=self.device)
        with torch.inference_mode():
            for rows in torch.split(self.out_of_sample_rows, at_once):
                inputs = self.reader(self.matrix, rows)  # (n, D) or (n, W, F)
                errors = (
                    self.network(inputs.expand(self.options.networks, *inputs.shape)) - self.targets[rows]
                )
                total += errors.square().mean(dim=2).sum(dim=1)
        self.network.train()
        return total / len(self.out_of_sample_rows)

    @property
    def _samples_a_step(self) -> int:
        return MINIBATCHES_A_STEP * self.batch_size
