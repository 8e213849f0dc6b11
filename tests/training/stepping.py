"""A training module run without the house around it, and the same steps in plain PyTorch."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

import dlplugin as dl
from dlplugin.engines import RowReader, build_network, seed_networks
from dlplugin.samples import Samples, build_samples
from dlplugin.training.module import EpochLosses, TrainingModule


def samples_of(model: dl.Model, dataset: dl.DataSet, split: dl.Split | None = None) -> Samples:
    """The model's samples; targets of outputs with classes are the classes of their values."""
    samples = build_samples(model.definition, dataset, dl.resolve_split(dataset, split or dl.Split()))
    targets = samples.targets.copy()
    for index, output in enumerate(model.definition.outputs):
        if output.labels:
            targets[:, index] = output.classify(samples.actual[:, index])
    return replace(samples, targets=targets)


class Ends(lightning.Callback):
    """What a training does at the end of each epoch: losses, and the monitored value to the module."""

    def __init__(self, after: Callable[[TrainingModule], None]) -> None:
        self.losses: list[EpochLosses] = []
        self.rates: list[float] = []
        self._after = after

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        losses = pl_module.epoch_losses()
        self.losses.append(losses)
        self.rates.append(pl_module.learning_rate)
        seen = losses.out_of_sample
        pl_module.end_epoch(None if seen is None else float(np.mean(seen)))
        self._after(pl_module)


@contextmanager
def one_thread() -> Iterator[None]:
    """Small steps are no faster on several, and tests share their cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def trained(
    samples: Samples,
    epochs: int,
    restored: tuple[dict[str, Tensor], dict[str, Any], int] | None = None,
    after: Callable[[TrainingModule], None] = lambda module: None,
    of: type[TrainingModule] = TrainingModule,
    **options: Any,
) -> tuple[TrainingModule, Ends]:
    """A module after so many epochs, from the beginning or from (tensors, values, epochs done)."""
    module = of(samples, dl.TrainingOptions(epochs=epochs, **options))
    if restored is not None:
        module.restore(restored[0], restored[1])
        module.first_epoch = restored[2]
    ends = Ends(after)
    with one_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer = lightning.Trainer(
            max_epochs=epochs - module.first_epoch, accelerator="cpu", callbacks=[ends], logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(module)
    return module, ends


def weights_of(module: TrainingModule) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().copy() for name, value in module.network.state_dict().items()}


LossOf = Callable[[Tensor, Tensor], Tensor]  # predicted (B, N), targets (B, O) -> ()


@one_thread()
def bare_loop(
    samples: Samples,
    options: dl.TrainingOptions,
    optimizer_of: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
    loss_of: LossOf = lambda predicted, targets: nn.functional.mse_loss(predicted, targets),
    penalty_of: Callable[[nn.Module], Tensor] = lambda network: torch.zeros(()),
    before_step: Callable[[nn.Module, torch.optim.Optimizer], None] = lambda network, optimizer: None,
    after_step: Callable[[nn.Module], None] = lambda network: None,
    scheduler_of: Callable[[torch.optim.Optimizer], Any] | None = None,
    by_minibatch: bool = False,
) -> dict[str, np.ndarray]:
    """One network trained in plain PyTorch, one minibatch after another; its weights."""
    network = build_network(samples.definition, 1, options.seed, options.initialisation, options.zero_biases)
    reader = RowReader(samples.layout, samples.matrix.shape[1])
    matrix, targets = torch.from_numpy(samples.matrix), torch.from_numpy(samples.targets)
    rows = torch.from_numpy(samples.rows["in-sample"])
    optimizer = optimizer_of(list(network.parameters()))
    scheduler = None if scheduler_of is None else scheduler_of(optimizer)
    assert isinstance(options.batch_size, int)
    for epoch in range(1, (options.epochs or 0) + 1):
        order = seed_networks(network, options.seed, epoch, len(rows))[0]
        for part in order.split(options.batch_size):
            batch = rows[part]
            loss = loss_of(network(reader(matrix, batch).unsqueeze(0))[0], targets[batch])
            optimizer.zero_grad()
            (loss + penalty_of(network)).backward()
            before_step(network, optimizer)
            optimizer.step()
            after_step(network)
            if scheduler is not None and by_minibatch:
                scheduler.step()
        if scheduler is not None and not by_minibatch:
            scheduler.step()
    return {name: value.detach().numpy() for name, value in network.state_dict().items()}


def assert_close(one: dict[str, np.ndarray], other: dict[str, np.ndarray], atol: float = 2e-5) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(value, other[name], atol=atol, err_msg=name)
