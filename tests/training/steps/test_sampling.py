"""Over- and under-sampling: how often each sample comes."""

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.samples import Samples
from dlplugin.training.steps.sampling import Sampler
from tests.training.stepping import trained, weights_of

TARGETS = np.array([0] * 7 + [1] * 30 + [2] * 12 + [np.nan] * 5, dtype=np.float32)


def counted(sampling: str, epoch: int = 1, networks: int = 3) -> np.ndarray:
    """(K, S) how often each sample comes."""
    options = dl.TrainingOptions(sampling=sampling, seed=3)  # type: ignore[arg-type]
    sampler = Sampler(TARGETS, options)
    order = sampler.order(epoch, networks).numpy()
    assert order.shape == (networks, sampler.samples)
    return np.stack([np.bincount(each, minlength=len(TARGETS)) for each in order])


def test_over_sampling_takes_every_class_as_often_as_the_most_frequent_and_each_sample_alike() -> None:
    for counts in counted("over"):
        assert [counts[each == TARGETS].sum() for each in range(3)] == [30, 30, 30]
        assert set(counts[:7]) == {4, 5}
        assert set(counts[7:37]) == {1}
        assert set(counts[37:49]) == {2, 3}
        assert set(counts[49:]) == {1}


def test_under_sampling_takes_as_many_of_each_class_as_the_rarest_has() -> None:
    for counts in counted("under"):
        assert [counts[each == TARGETS].sum() for each in range(3)] == [7, 7, 7]
        assert counts.max() == 1
        assert set(counts[49:]) == {1}


@pytest.mark.parametrize("sampling", ["over", "under"])
def test_every_epoch_and_network_draws_anew_from_streams_of_its_own(sampling: str) -> None:
    first = counted(sampling)
    np.testing.assert_array_equal(counted(sampling), first)
    np.testing.assert_array_equal(counted(sampling, networks=1)[0], first[0])
    assert (first[0] != first[1]).any()
    assert (counted(sampling, epoch=2) != first).any()
    every = sum(counted(sampling, epoch)[0] for epoch in range(1, 40))
    assert (every > 0).all()
    options = dl.TrainingOptions(sampling=sampling)  # type: ignore[arg-type]
    order = Sampler(TARGETS, options).order(1, 1)[0]
    assert len(set(TARGETS[order[:12].numpy()].tolist()) - {np.nan}) >= 3  # shuffled, not class by class


@pytest.mark.parametrize("sampling", ["over", "under"])
def test_training_on_evened_classes_is_training_on_those_samples(
    three_classes: Samples, sampling: str
) -> None:
    rows = three_classes.rows["in-sample"]
    targets = three_classes.targets[rows, 0]
    sizes = np.bincount(targets.astype(int))
    seen: list[int] = []
    orders: list[np.ndarray] = []

    def note(module) -> None:
        orders.append(module.order[0].numpy())
        seen.append(module._tally.samples)

    module, _ = trained(three_classes, 2, after=note, sampling=sampling, batch_size=200, learning_rate=0.05)
    each = max(sizes) if sampling == "over" else min(sizes)
    assert module.samples_an_epoch == 3 * each != len(rows)
    assert seen == [3 * each] * 2
    for order in orders:
        assert np.bincount(targets[order].astype(int)).tolist() == [each] * 3
    assert (np.sort(orders[0]) != np.sort(orders[1])).any()
    alone, _ = trained(three_classes, 2, batch_size=200, learning_rate=0.05)
    assert abs(weights_of(alone)["output.bias"] - weights_of(module)["output.bias"]).max() > 1e-3
    whole, _ = trained(three_classes, 1, sampling=sampling, batch_size="full")
    assert whole.batch_size == 3 * each


def test_without_sampling_the_order_is_the_networks_own(numbers: Samples) -> None:
    from dlplugin.engines import seed_networks

    module, _ = trained(numbers, 2, batch_size=2000, networks=2)
    wanted = seed_networks(module.network, 0, 2, len(numbers.rows["in-sample"]))
    assert torch.equal(module.order, wanted)
