"""Which weights are kept, and when patience is over: against an obvious loop over made-up values."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import dlplugin as dl
from dlplugin.training.save_point import Monitored, SavePoint

VALUES = [5.0, 4.0, 4.5, 3.9, 3.95, 3.85, 6.0, 1.0, 2.0, 2.1, 2.2, 2.3]


def obvious(values: list[float], options: dl.TrainingOptions) -> tuple[int, int | None]:
    """The epoch that is kept and the epoch at which patience is over, of one network."""
    best = lowest = smoothed = np.inf
    kept, improved = 0, 0
    for epoch, value in enumerate(values, start=1):
        if options.save_point == "smoothed":
            past = options.smoothing
            value = smoothed = value if epoch == 1 else past * smoothed + (1 - past) * value
        if value < lowest - options.min_delta:
            lowest, improved = value, epoch
        if options.save_point == "last" or (epoch % options.auto_save == 0 and value < best):
            best, kept = value, epoch
        if not np.isfinite(best):
            kept = epoch  # the newest stand in
        if options.auto_stop is not None and epoch - improved >= options.auto_stop:
            return kept, epoch
    return kept, None


def followed(values: np.ndarray, options: dl.TrainingOptions, stop_after: int = 0) -> SavePoint:
    """Through all epochs; at one of them it is stored and made anew."""
    save_point = SavePoint(options)
    for epoch, row in enumerate(values, start=1):
        weights = {"layer.weight": torch.full((options.networks, 2), float(epoch))}
        save_point.consider(Monitored(epoch, row, 10 * row), weights)
        if epoch == stop_after:
            plain, arrays = save_point.to_plain(), save_point.arrays()
            save_point = SavePoint(options)
            save_point.restore(plain, arrays)
    return save_point


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"auto_stop": 3},
        {"auto_stop": 2, "min_delta": 0.2},
        {"auto_save": 5},
        {"auto_save": 100},
        {"save_point": "last"},
        {"save_point": "smoothed", "smoothing": 0.5},
        {"save_point": "smoothed", "smoothing": 0.9, "auto_stop": 2},
    ],
)
def test_it_keeps_and_ends_as_an_obvious_loop_says(options: dict[str, Any]) -> None:
    chosen = dl.TrainingOptions(**({"auto_stop": None} | options))
    save_point = followed(np.array(VALUES)[:, None], chosen)
    kept, ended = obvious(VALUES, chosen)
    assert save_point.epochs.tolist() == [kept]
    assert save_point.weights["layer.weight"].tolist() == [[kept, kept]]
    assert save_point.losses.tolist() == [10 * VALUES[kept - 1]]
    assert save_point.ended.tolist() == [ended or 0]


@given(
    values=st.lists(st.tuples(*[st.integers(0, 9).map(float)] * 3), min_size=1, max_size=25),
    auto_stop=st.none() | st.integers(1, 5),
    auto_save=st.integers(1, 4),
    kind=st.sampled_from(["best", "smoothed", "last"]),
    stop_after=st.integers(0, 25),
)
def test_each_of_several_networks_has_its_own_and_a_stop_changes_nothing(
    values: list[tuple[float, ...]], auto_stop: int | None, auto_save: int, kind: Any, stop_after: int
) -> None:
    auto_save = 1 if kind == "last" else auto_save
    options = dl.TrainingOptions(networks=3, auto_stop=auto_stop, auto_save=auto_save, save_point=kind)
    save_point = followed(np.array(values), options, stop_after)
    alone = [obvious([row[network] for row in values], options) for network in range(3)]
    assert save_point.epochs.tolist() == [kept for kept, _ in alone]
    assert save_point.ended.tolist() == [ended or 0 for _, ended in alone]
    assert save_point.weights["layer.weight"][:, 0].tolist() == [kept for kept, _ in alone]


def test_without_out_of_sample_samples_the_newest_weights_are_kept() -> None:
    save_point = SavePoint(dl.TrainingOptions(auto_stop=1))
    for epoch in (1, 2, 3):
        moved = save_point.consider(Monitored(epoch, None, None), {"w": torch.full((1, 2), float(epoch))})
        assert moved
    assert (save_point.epochs.tolist(), save_point.ended.tolist()) == ([3], [0])
    assert np.isnan(save_point.losses).all()


def test_the_bookkeeping_survives_json_to_the_bit() -> None:
    import json

    save_point = followed(np.array([[0.1 + 0.2], [np.nextafter(0.3, 1)]]), dl.TrainingOptions())
    plain = json.loads(json.dumps(save_point.to_plain(), allow_nan=False))
    again = SavePoint(dl.TrainingOptions())
    again.restore(plain, save_point.arrays())
    assert again.to_plain() == save_point.to_plain()
