"""Checks that a row's output depends on that row alone: nearly in training, to the bit in prediction."""

from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from dlplugin.definition import Definition
from dlplugin.engines import build_network, seed_networks
from dlplugin.errors import EngineError
from dlplugin.indicators import made_up_bars
from dlplugin.prediction import Predictor
from dlplugin.samples import Scaling
from dlplugin.testing.subject import CLOSE, Subject, refuse_difference, tensors_of

__all__ = ["check_bits", "check_rows"]

JUNK = 100.0
LIVE_BARS = 6


def check_rows(subject: Subject) -> None:
    """A row's output is the same whatever rows stand beside it, wherever it stands, and alone."""
    rows, others = subject.rows(2, 9), JUNK * subject.rows(2, 9, seed=1)
    for training in (True, False):
        wanted = _given(subject, rows, training)
        for place in (0, 4, 8):
            mixed = others.clone()
            mixed[:, place] = rows[:, place]
            refuse_difference(
                wanted[:, place],
                _given(subject, mixed, training)[:, place],
                f"a row's output changes with the other rows {'in training' if training else 'in prediction'}; "
                "normalise each row by itself, as dlplugin.engines.LayerNorm does",
                CLOSE,
            )
    moved = _given(subject, rows.flip(1)).flip(1)
    refuse_difference(wanted, moved, "a row's output changes with its place among the others", CLOSE)
    alone = torch.cat([_given(subject, rows[:, place : place + 1]) for place in range(9)], dim=1)
    refuse_difference(wanted, alone, "a row alone gives another output than among others", CLOSE)


def _given(subject: Subject, rows: Tensor, training: bool = False) -> Tensor:
    """What new networks give: training may move more than the weights."""
    network = subject.network(2).train(training)
    seed_networks(network, 0, epoch=1, samples=1)  # dropout has the same masks at every call
    with torch.no_grad():
        given: Tensor = network(rows)
    return given


def check_bits(subject: Subject) -> None:
    """In padded chunks a row's output is the same to the bit, and after the weights were loaded again."""
    for definition in islice(subject.definitions(), 3):  # sizes whose products come out in several ways
        _check_places(subject, definition)
    definition, rows = subject.definition(), subject.rows(1, subject.spec.chunk, seed=2)[0]
    network = _trained_a_little(subject, definition)
    wanted = _predicted(network, rows)
    for threads in (2, 4):
        got = _predicted(network, rows, threads)
        refuse_difference(wanted, got, f"{threads} threads give other outputs than one")
    loaded = subject.network(2, seed=1)
    loaded.load_state_dict(tensors_of(network))
    refuse_difference(
        wanted,
        _predicted(loaded, rows),
        "its weights in a new network give other outputs; register what training changes as a buffer, K first",
    )
    _check_predictor(definition, network)


def _check_places(subject: Subject, definition: Definition) -> None:
    """A row's bits do not depend on the rest of the chunk, nor on its place in it."""
    network, chunk = _trained_a_little(subject, definition), subject.spec.chunk
    rows = subject.rows(1, chunk, seed=2, definition=definition)[0]
    junk = JUNK * subject.rows(1, chunk, seed=3, definition=definition)[0]
    wanted = _predicted(network, rows)
    for count in sorted({1, min(3, chunk), chunk - 1} - {0}):
        got = _predicted(network, torch.cat([rows[:count], junk[count:]]))[:, :count]
        refuse_difference(wanted[:, :count], got, "a row's output changes with the padding of its chunk")
    order = torch.randperm(chunk, generator=torch.Generator().manual_seed(5))
    got = _predicted(network, rows[order])
    refuse_difference(wanted[:, order], got, "a row's output changes with its place in the chunk")


def _trained_a_little(subject: Subject, definition: Definition) -> nn.Module:
    """Two networks after a few steps, so that whatever moves in training has moved."""
    network = build_network(definition, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    network.train()
    for step in range(3):
        seed_networks(network, 0, epoch=step + 1, samples=1)
        optimizer.zero_grad()
        network(subject.rows(2, 8, step, definition)).square().mean().backward()
        optimizer.step()
    return network.eval()


def _predicted(network: nn.Module, rows: Tensor, threads: int = 1) -> Tensor:
    """What both networks give for (chunk, ...) rows, as dlplugin.prediction asks them."""
    torch.set_num_threads(threads)
    with torch.inference_mode():
        given: Tensor = network(rows.expand(2, *rows.shape))
    torch.set_num_threads(1)
    return given.clone()


def _check_predictor(definition: Definition, network: nn.Module) -> None:
    """Batch and bar by bar, the two ways of a strategy."""
    weights = {name: value.numpy() for name, value in tensors_of(network).items()}
    predictor = Predictor(
        definition, Scaling.none(len(definition.inputs)), Scaling.none(len(definition.outputs)), weights
    )
    bars = made_up_bars(definition.bars_needed + LIVE_BARS)
    batch, live = predictor.predict(bars), predictor.live()
    for place, (time, values) in enumerate(zip(bars.index, bars.to_dict("records"), strict=True)):
        if place < len(bars) - LIVE_BARS:
            live.take({str(name): value for name, value in values.items()}, time)
            continue
        got = live.update({str(name): value for name, value in values.items()}, time)
        if not np.isfinite(got).all() or not np.array_equal(got, batch[place]):
            raise EngineError(f"bar by bar it predicts {got.tolist()}, but in batch {batch[place].tolist()}")
