"""The Lightning module: data resident on the device, one training_step for a chunk of minibatches.

Lightning's cost for each step and each batch is many times that of a small network's own work. So
the samples stay on the device and are sliced by index, a step covers up to 256 minibatches, and only
the last of them goes through Lightning's wrapped optimizer, which is what counts steps.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from dlplugin.definition import TrainingOptions
from dlplugin.engines import RowReader, build_network, seed_networks
from dlplugin.errors import TrainingError
from dlplugin.samples import Samples
from dlplugin.training.checks import check_options, sampled_output
from dlplugin.training.devices.part import Part
from dlplugin.training.devices.share import ALONE, Share
from dlplugin.training.steps.augmentation import Augmentation
from dlplugin.training.steps.averaging import Average
from dlplugin.training.steps.freezing import freeze
from dlplugin.training.steps.losses import Loss
from dlplugin.training.steps.optimizers import build_optimizer
from dlplugin.training.steps.penalties import Penalties
from dlplugin.training.steps.sampling import Sampler
from dlplugin.training.steps.schedules import Plateau, Rates
from dlplugin.training.tally import EpochLosses, Tally

__all__ = ["EpochLosses", "TrainingModule"]

MINIBATCHES_A_STEP = 256
CELLS_AT_ONCE = 1 << 22  # cells of the matrix read in one go: 16 MiB in float32
ROWS_AT_ONCE = 1 << 13  # evaluated in one go: what a network makes of a row can be many times as large


class TrainingModule(lightning.LightningModule):
    """K networks in training on one set of samples.

    Args:
        samples: The in-sample rows train; the out-of-sample rows are only looked at.
        options: Learning rate, batch size, seed and so on.
        share: This process's part of every batch.

    Attributes:
        first_epoch: Epochs that were done before this fit began.
        samples_an_epoch: How many samples an epoch trains on; sampling makes them more or fewer.
        before_minibatch: Called with how many samples of the epoch are done, while the out-of-sample
            ones are looked at, too; what it raises ends the training in the middle of the epoch.

    Raises:
        DefinitionError: The options do not suit the definition or its samples.
    """

    matrix: Tensor
    targets: Tensor
    in_sample_rows: Tensor
    out_of_sample_rows: Tensor
    sample_weights: Tensor | None
    order: Tensor

    def __init__(self, samples: Samples, options: TrainingOptions, share: Share = ALONE) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.options = options
        self.share = share
        self.first_epoch = 0
        self.before_minibatch: Callable[[int], None] = lambda done: None
        self._hold(samples)
        check_options(samples.definition, options, out_of_sample=len(self.out_of_sample_rows) > 0)
        targets = samples.targets[samples.rows["in-sample"]]
        self.loss = Loss(
            samples.definition, options, targets, samples.targets[self.out_of_sample_rows.numpy()]
        )
        self._sampler = None
        if options.sampling != "none":
            self._sampler = Sampler(targets[:, sampled_output(samples.definition)], options)
        self.samples_an_epoch = self._sampler.samples if self._sampler else len(targets)
        self.batch_size = self.samples_an_epoch if options.batch_size == "full" else options.batch_size
        self.network = build_network(
            samples.definition, options.networks, options.seed, options.initialisation, options.zero_biases
        )
        freeze(self.network, options.freeze)
        self._part = Part(self.network, self.loss, share)
        self.augment = Augmentation(samples.definition, options)
        self._penalise = Penalties(self.network, options)
        self.average = None if options.averaging is None else Average(self.network, options.averaging)
        self._rates = Rates(options, -(-self.samples_an_epoch // self.batch_size))
        self._plateau = Plateau(options)
        self._optimizer_state: dict[int, dict[str, Tensor]] = {}
        self._scaler_state: dict[str, Any] = {}
        self._is_scaled = options.precision == "fp16"  # its small gradients would be 0 otherwise

    def _hold(self, samples: Samples) -> None:
        """Puts what is read while training where the device will be."""
        self.reader = RowReader(samples.layout, samples.matrix.shape[1])
        nothing = np.empty(0, dtype=np.int64)
        for name, array in {
            "matrix": samples.matrix,
            "targets": samples.targets,
            "in_sample_rows": samples.rows["in-sample"],
            "out_of_sample_rows": samples.rows.get("out-of-sample", nothing),
            "sample_weights": samples.weights,
        }.items():
            held = None if array is None else torch.from_numpy(np.ascontiguousarray(array))
            self.register_buffer(name, held, persistent=False)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The options' optimizer, in the state that was restored if any was."""
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self._optimizer = build_optimizer(trained, self.options)
        if self._optimizer_state:
            groups = self._optimizer.state_dict()["param_groups"]
            self._optimizer.load_state_dict({"state": self._optimizer_state, "param_groups": groups})
        if self._scaler_state:
            self.trainer.precision_plugin.load_state_dict(self._scaler_state)
        return self._optimizer

    @property
    def epoch(self) -> int:
        """The epoch under way, from 1; between epochs the one that has just ended."""
        return self.first_epoch + self.current_epoch + 1

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next epoch depends on, between epochs: tensors, and plain values beside them.

        The tensors are copies. No random stream is among them: each begins anew in every epoch.
        """
        tensors = {f"network/{name}": value for name, value in self.network.state_dict().items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            for key, value in state.items():
                if value is not None:
                    tensors[f"optimizer/{index}/{key}"] = torch.as_tensor(value)
        values: dict[str, Any] = {"plateau": self._plateau.to_plain()}
        if self._is_scaled:
            values["scaler"] = self.trainer.precision_plugin.state_dict()
        if self.average is not None:
            averaged = self.average.network.state_dict()
            tensors |= {f"average/{name}": value for name, value in averaged.items()}
            values["averaged_steps"] = self.average.steps
        return {name: value.detach().cpu().clone() for name, value in tensors.items()}, values

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Takes over what `training_state` gave, before the fit begins; the next epoch is as it would have been.

        The weights of a network alone are enough to begin a training with.
        """
        self.network.load_state_dict(_below("network", tensors))
        if self.average is not None and "averaged_steps" in values:
            self.average.network.load_state_dict(_below("average", tensors))
            self.average.steps = int(values["averaged_steps"])
        if "plateau" in values:
            self._plateau.restore(values["plateau"])
        self._scaler_state = dict(values.get("scaler", {}))
        self._optimizer_state = {}
        for name, value in _below("optimizer", tensors).items():
            index, _, key = name.partition("/")
            self._optimizer_state.setdefault(int(index), {})[key] = value.clone()

    def end_epoch(self, monitored: float | None) -> None:
        """Hears how the epoch went; the schedule "on-plateau" lives on it.

        Args:
            monitored: The mean over the networks of the monitored value, turned so that lower is
                better; None without an out-of-sample span.
        """
        if monitored is not None and self.epoch > self.options.warm_up:
            self._plateau.hear(monitored)

    def running_loss(self) -> float:
        """The mean in-sample loss of the epoch so far."""
        return float(self._tally.loss().mean())

    def kept_weights(self) -> dict[str, Tensor]:
        """The weights that are evaluated and kept, (K, ...) each: the average where there is one."""
        kept: dict[str, Tensor] = self._evaluated.state_dict()
        return kept

    def train_dataloader(self) -> DataLoader[int]:
        """The numbers of the epoch's steps; the samples themselves are on the device already."""
        steps = -(-self.samples_an_epoch // self._samples_a_step)
        return DataLoader(cast(Any, range(steps)), batch_size=None)

    @property
    def learning_rate(self) -> float:
        """The rate of the last step; before there is one, that of the first."""
        return float(self._optimizer.param_groups[0]["lr"])

    def on_train_start(self) -> None:
        """Lets DDP find its order of adding gradients up before the first step: a resume has to add in the same."""
        if not self.share.alone:
            inputs = self.reader(self.matrix, self.in_sample_rows[:1])
            with self._part.without_dropout():  # which has no streams yet
                predicted = self.network(inputs.expand(self.options.networks, *inputs.shape))
            self.manual_backward(0.0 * predicted.sum())

    def on_train_epoch_start(self) -> None:
        """Puts the samples in this epoch's order, and starts its random streams."""
        networks = self.options.networks
        order = seed_networks(self.network, self.options.seed, self.epoch, len(self.in_sample_rows))
        if self._sampler is not None:
            order = self._sampler.order(self.epoch, networks)
        self.order = order.to(self.device)
        self.augment.begin(self.epoch, networks)
        self._set_rate(0)
        self._rate_moves = self._rates.moves_within(self.epoch)
        self._tally = Tally(self.loss)

    def training_step(self, step: int) -> None:
        """Trains on up to `MINIBATCHES_A_STEP` minibatches."""
        optimizer = cast(Any, self.optimizers())
        begin = step * self._samples_a_step
        end = min(begin + self._samples_a_step, self.samples_an_epoch)
        size = self.batch_size
        at_once = max(
            size, CELLS_AT_ONCE // (self.reader.cells.numel() * self.options.networks) // size * size
        )
        for first in range(begin, end, at_once):
            chosen = self.order[:, first : min(first + at_once, end)]  # (K, n)
            rows = self.in_sample_rows[chosen]
            inputs = self.reader(self.matrix, rows)  # (K, n, D) or (K, n, W, F)
            targets = self.targets[rows]  # (K, n, O)
            weights = None if self.sample_weights is None else self.sample_weights[chosen]
            for start in range(0, rows.shape[1], size):
                self.before_minibatch(first + start)
                part = slice(start, start + size)
                if self._rate_moves:
                    self._set_rate((first + start) // size)
                self._find_gradients(
                    inputs[:, part], targets[:, part], None if weights is None else weights[:, part]
                )
                by_lightning = self._is_scaled or first + start + size >= end
                (optimizer if by_lightning else optimizer.optimizer).step()
                if self.average is not None:
                    self.average.update(self.network)

    def _find_gradients(self, inputs: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        """Of one minibatch, with the penalties and clipped."""
        if self.augment.active:
            inputs = self.augment(inputs)
        if self.share.alone:
            predicted = self._predict(inputs)
            losses, sums, counts = self.loss(predicted, targets, weights)
        else:
            part = self._part.losses(self._predict, inputs, targets, weights)
            losses, sums, counts, predicted, targets = part
        self._optimizer.zero_grad(set_to_none=True)
        if self.share.alone and not self._is_scaled:
            losses.sum().backward()
        else:
            self.manual_backward(losses.sum())
        if not self._is_scaled:
            self._finish_gradients()
        self._tally.add(sums, counts, predicted, targets)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Scaled gradients have got their own size back just before."""
        if self._is_scaled:
            self._finish_gradients()

    def _finish_gradients(self) -> None:
        """The sum over all processes, of which DDP has left the mean; then penalties and clipping."""
        if not self.share.alone:
            self._part.sum_gradients()
        if self._penalise.active:
            self._penalise()

    def _predict(self, inputs: Tensor) -> Tensor:
        """(K, B, N) in float32, whatever the network calculates in."""
        if self.options.precision == "fp32":
            return cast(Tensor, self.network(inputs))
        try:
            with self.trainer.precision_plugin.forward_context():
                return cast(Tensor, self.network(inputs)).float()
        except RuntimeError as error:
            if "primitive" not in str(error):  # one that this device has not
                raise
            raise TrainingError(
                f"precision is {self.options.precision!r}, but this device cannot do that with this engine; use 'fp32'"
            ) from error

    def _set_rate(self, minibatch: int) -> None:
        rate = self._rates.at(self.epoch, minibatch, self._plateau.reductions)
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def epoch_losses(self) -> EpochLosses:
        """The losses of the epoch that has just ended."""
        seen = self._evaluate() if len(self.out_of_sample_rows) else None
        if not self.share.alone:
            self._tally.add_others(self.share)
        return EpochLosses(
            epoch=self.epoch,
            in_sample=tuple(self._tally.loss().tolist()),
            out_of_sample=None if seen is None else tuple(seen.loss().tolist()),
            in_sample_accuracy=self._tally.accuracy(),
            out_of_sample_accuracy=None if seen is None else seen.accuracy(),
            out_of_sample_correlation=None if seen is None else seen.correlation(),
        )

    @property
    def rows_evaluated_at_once(self) -> int:
        """Of the out-of-sample rows, by all networks."""
        cells = self.reader.cells.numel() * self.options.networks
        return max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // cells))

    def _evaluate(self) -> Tally:
        """What the kept weights make of the whole out-of-sample span."""
        rows, count = self._part.rows(self.out_of_sample_rows)
        tally = Tally(self.loss, correlation=self.options.monitor == "correlation")
        self._part.look_at(self._evaluated, self._pieces(rows), count, tally)
        return tally

    def _pieces(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs (K, n, D) or (K, n, W, F) and targets (n, O) of rows, as many at once as fit."""
        for piece in torch.split(rows, self.rows_evaluated_at_once):
            self.before_minibatch(self.samples_an_epoch)
            inputs = self.reader(self.matrix, piece)
            yield inputs.expand(self.options.networks, *inputs.shape), self.targets[piece]

    @property
    def _evaluated(self) -> nn.Module:
        return self.network if self.average is None else self.average.network

    @property
    def _samples_a_step(self) -> int:
        return MINIBATCHES_A_STEP * self.batch_size


def _below(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose name begins with the kind, by what follows."""
    return {
        name.partition("/")[2]: value for name, value in tensors.items() if name.partition("/")[0] == kind
    }
