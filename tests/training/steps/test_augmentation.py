"""Noise, masking and magnitude: what they change, by how much, and what they leave alone."""

import numpy as np
import pytest
import torch
from torch import Tensor

import dlplugin as dl
from dlplugin.definition import engines
from dlplugin.registry import Entry
from dlplugin.samples import Samples, row_layout
from dlplugin.training.steps.augmentation import Augmentation
from tests.engines.test_embedding import WINDOWS, Windows
from tests.training.stepping import trained, weights_of

INPUTS = [
    dl.Input("RSI(14)", depth=3),
    dl.Input("day_of_week", depth=2, categories=range(5)),
    dl.Input("ROC(5)", depth=2),
    dl.Input("month", categories=[1, 12], embedding=2),
]
OWNER = [0] * 3 + [1] * 10 + [2] * 2 + [3] * 2  # the input of each cell
AMOUNT = np.array([True] * 3 + [False] * 10 + [True] * 2 + [False] * 2)
K, B = 2, 4000


def changed(describe, rows: Tensor, epoch: int = 1, **options: float) -> Tensor:
    definition = describe("unused", inputs=INPUTS).definition
    assert row_layout(definition).shape == (len(OWNER),)
    augment = Augmentation(definition, dl.TrainingOptions(**options))  # type: ignore[arg-type]
    augment.begin(epoch, len(rows))
    return augment(rows)


def rows() -> Tensor:
    return 1.0 + torch.rand(K, B, len(OWNER), generator=torch.Generator().manual_seed(5))


def test_noise_has_its_standard_deviation_and_leaves_categories_alone(describe) -> None:
    noise = (changed(describe, rows(), input_noise=0.3) - rows()).numpy()
    assert (noise[..., ~AMOUNT] == 0).all()
    assert noise[..., AMOUNT].std() == pytest.approx(0.3, rel=0.02)
    assert noise[..., AMOUNT].mean() == pytest.approx(0.0, abs=0.01)
    one, other = noise[0, :, 0], noise[0, :, 1]
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05


def test_masking_sets_an_input_to_0_at_all_its_depths_and_leaves_categories_alone(describe) -> None:
    masked = (changed(describe, rows(), input_masking=0.25) == 0).numpy()
    kept = changed(describe, rows(), input_masking=0.25).numpy()
    np.testing.assert_array_equal(kept[~masked], rows().numpy()[~masked])
    assert not masked[..., ~AMOUNT].any()
    for cells in (slice(0, 3), slice(13, 15)):
        together = masked[..., cells]
        assert (together.all(axis=-1) == together.any(axis=-1)).all()
        assert together.mean() == pytest.approx(0.25, abs=0.02)
    first, second = masked[..., 0].ravel(), masked[..., 13].ravel()
    assert (first & second).mean() == pytest.approx(0.25**2, abs=0.01)


def test_magnitude_is_one_factor_for_all_amounts_of_a_row(describe) -> None:
    factor = (changed(describe, rows(), input_magnitude=0.1) / rows()).numpy()
    assert (factor[..., ~AMOUNT] == 1).all()
    np.testing.assert_allclose(factor[..., AMOUNT], factor[..., :1].repeat(5, axis=-1), rtol=1e-5)
    assert factor[..., 0].std() == pytest.approx(0.1, rel=0.04)
    assert factor[..., 0].mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("option", ["input_noise", "input_masking", "input_magnitude"])
def test_what_is_drawn_depends_on_network_and_epoch_alone(describe, option: str) -> None:
    torch.manual_seed(1)
    first = changed(describe, rows(), **{option: 0.5})
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert torch.equal(changed(describe, rows(), **{option: 0.5}), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(changed(describe, rows()[:1], **{option: 0.5})[0], first[0])
    assert not torch.equal(changed(describe, rows(), epoch=2, **{option: 0.5}), first)
    same = rows()[:1].expand(2, B, len(OWNER))
    drawn = changed(describe, same, **{option: 0.5})
    assert not torch.equal(drawn[0], drawn[1])


def test_all_three_together_mask_last(describe) -> None:
    all_of_them = {"input_noise": 0.2, "input_masking": 0.4, "input_magnitude": 0.3}
    given = changed(describe, rows(), **all_of_them)
    masked = changed(describe, rows(), input_masking=0.4) == 0
    assert torch.equal(given == 0, masked)
    louder = changed(describe, rows(), input_magnitude=0.3)
    noise = changed(describe, rows(), input_noise=0.2) - rows()
    torch.testing.assert_close(given[~masked], (louder + noise)[~masked])


@pytest.mark.parametrize("option", ["input_noise", "input_masking", "input_magnitude"])
def test_training_sees_changed_inputs_and_the_evaluation_the_true_ones(numbers: Samples, option: str) -> None:
    frozen = {"learning_rate": 1e-12, "batch_size": 500, "epochs": 1}
    _, plain = trained(numbers, **frozen)
    _, loud = trained(numbers, **frozen, **{option: 0.9})
    assert loud.losses[0].in_sample != pytest.approx(plain.losses[0].in_sample, rel=1e-3)
    assert loud.losses[0].out_of_sample == pytest.approx(plain.losses[0].out_of_sample, rel=1e-6)


def test_the_size_of_the_chunks_that_are_read_changes_nothing(monkeypatch, numbers: Samples) -> None:
    options = {
        "epochs": 1,
        "batch_size": 33,
        "input_noise": 0.3,
        "input_masking": 0.2,
        "input_magnitude": 0.1,
    }
    whole, _ = trained(numbers, **options)
    monkeypatch.setattr("dlplugin.training.module.CELLS_AT_ONCE", 1)
    cut, _ = trained(numbers, **options)
    for name, value in weights_of(whole).items():
        np.testing.assert_array_equal(weights_of(cut)[name], value)


def test_windows_are_masked_along_all_their_bars(describe, monkeypatch) -> None:
    entry = Entry("windows", f"{WINDOWS.build.partition(':')[0]}:WINDOWS", "for these tests")
    monkeypatch.setitem(engines._all(), "windows", entry)
    week = dl.Input("day_of_week", depth=3, categories=range(5))
    inputs = [dl.Input("RSI(14)", depth=3), week, dl.Input("ROC(5)", depth=3)]
    definition = describe("unused", inputs=inputs, engine=Windows()).definition
    augment = Augmentation(definition, dl.TrainingOptions(input_masking=0.5))
    augment.begin(1, K)
    given = augment(torch.ones(K, 500, 3, 7)).numpy()
    assert (given[..., 1:6] == 1).all()
    for column in (0, 6):
        assert (given[..., column].min(axis=-1) == given[..., column].max(axis=-1)).all()
        assert 0.4 < given[..., column].mean() < 0.6
