"""Every loss against PyTorch's own, or a loop."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional

import dlplugin as dl
from dlplugin.errors import DefinitionError
from dlplugin.samples import Samples
from dlplugin.training.steps.losses import Loss, balanced_weights, class_counts
from tests.training.stepping import assert_close, bare_loop, trained, weights_of

K, B = 3, 40


def batch(samples: Samples, columns: int, spread: float = 1.0) -> tuple[Tensor, Tensor]:
    """Random predictions (K, B, N), and the targets (K, B, O) of in-sample samples."""
    generator = torch.Generator().manual_seed(3)
    predicted = spread * torch.randn(K, B, columns, generator=generator)
    rows = torch.from_numpy(samples.rows["in-sample"])
    chosen = rows[torch.randint(len(rows), (K, B), generator=generator)]
    return predicted.requires_grad_(), torch.from_numpy(samples.targets)[chosen]


def loss_of(samples: Samples, **options: object) -> Loss:
    in_sample = samples.targets[samples.rows["in-sample"]]
    return Loss(samples.definition, dl.TrainingOptions(**options), in_sample)  # type: ignore[arg-type]


def pinball(predicted: Tensor, target: Tensor, level: float) -> Tensor:
    over = (predicted - target).clamp(min=0)
    under = (target - predicted).clamp(min=0)
    return (level * under + (1 - level) * over).mean()


NUMBER_LOSSES = {
    "squared": ({}, functional.mse_loss),
    "absolute": ({}, functional.l1_loss),
    "huber": ({"huber_delta": 0.4}, lambda p, t: functional.huber_loss(p, t, delta=0.4)),
    "log-cosh": ({}, lambda p, t: (p - t).double().cosh().log().mean().float()),
    "quantile": ({"quantile": 0.2}, lambda p, t: pinball(p, t, 0.2)),
}


@pytest.mark.parametrize("name", sorted(NUMBER_LOSSES))
def test_a_loss_of_numbers_and_its_gradient_are_those_of_the_formula(numbers: Samples, name: str) -> None:
    more, formula = NUMBER_LOSSES[name]
    predicted, targets = batch(numbers, 2)
    loss = loss_of(numbers, loss=name, **more)
    assert loss.plain
    losses, _, _ = loss(predicted, targets)
    wanted = torch.stack([formula(predicted[k], targets[k]) for k in range(K)])
    torch.testing.assert_close(losses, wanted)
    (gradient,) = torch.autograd.grad(losses.sum(), predicted)
    (wanted_gradient,) = torch.autograd.grad(wanted.sum(), predicted)
    torch.testing.assert_close(gradient, wanted_gradient)


@pytest.mark.parametrize("name", sorted(NUMBER_LOSSES))
def test_training_with_a_loss_is_a_bare_loop_with_the_formula(numbers: Samples, name: str) -> None:
    more, formula = NUMBER_LOSSES[name]
    options = {"epochs": 2, "batch_size": 500, "learning_rate": 0.01, "loss": name, **more}
    module, _ = trained(numbers, **options)
    wanted = bare_loop(
        numbers, dl.TrainingOptions(**options), lambda weights: torch.optim.Adam(weights, lr=0.01), formula
    )
    assert_close(weights_of(module), wanted)


def test_log_cosh_does_not_overflow(numbers: Samples) -> None:
    loss = loss_of(numbers, loss="log-cosh")
    predicted = torch.full((1, 1, 2), 1e30, requires_grad=True)
    losses, _, _ = loss(predicted, torch.zeros(1, 1, 2))
    losses.sum().backward()
    assert losses.tolist() == [pytest.approx(1e30)]
    assert predicted.grad is not None
    assert predicted.grad.tolist() == [[[0.5, 0.5]]]
    near, _, _ = loss(torch.full((1, 1, 2), 1e-3), torch.zeros(1, 1, 2))
    assert near.item() == pytest.approx(5e-7, abs=2e-7)


def test_the_classes_of_two_have_one_score_and_its_cross_entropy(two_classes: Samples) -> None:
    predicted, targets = batch(two_classes, 1)
    losses, _, _ = loss_of(two_classes)(predicted, targets)
    for k in range(K):
        wanted = functional.binary_cross_entropy_with_logits(predicted[k], targets[k])
        torch.testing.assert_close(losses[k], wanted)


def test_more_classes_have_the_cross_entropy_of_a_softmax(three_classes: Samples) -> None:
    predicted, targets = batch(three_classes, 3)
    losses, _, _ = loss_of(three_classes)(predicted, targets)
    for k in range(K):
        torch.testing.assert_close(losses[k], functional.cross_entropy(predicted[k], targets[k, :, 0].long()))


def test_the_hinge_of_two_classes_asks_for_a_margin_of_one(two_classes: Samples) -> None:
    predicted, targets = batch(two_classes, 1, spread=2.0)
    losses, _, _ = loss_of(two_classes, class_loss="hinge")(predicted, targets)
    for k in range(K):
        slow = [
            max(0.0, 1.0 - (1.0 if target == 1 else -1.0) * score)
            for score, target in zip(predicted[k, :, 0].tolist(), targets[k, :, 0].tolist(), strict=True)
        ]
        assert losses[k].item() == pytest.approx(np.mean(slow))


def test_the_hinge_of_more_classes_is_crammer_and_singers(three_classes: Samples) -> None:
    predicted, targets = batch(three_classes, 3, spread=2.0)
    losses, _, _ = loss_of(three_classes, class_loss="hinge")(predicted, targets)
    for k in range(K):
        slow = []
        for scores, target in zip(predicted[k].tolist(), targets[k, :, 0].tolist(), strict=True):
            others = [score for place, score in enumerate(scores) if place != int(target)]
            slow.append(max(0.0, 1.0 + max(others) - scores[int(target)]))
        assert losses[k].item() == pytest.approx(np.mean(slow))


def test_balanced_class_weights_are_scikit_learns(three_classes: Samples) -> None:
    targets = three_classes.targets[three_classes.rows["in-sample"], 0]
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(balanced_weights(class_counts(targets, 3)), wanted)
    predicted, batched = batch(three_classes, 3)
    losses, _, _ = loss_of(three_classes, class_weights="balanced")(predicted, batched)
    for k in range(K):
        classes = batched[k, :, 0].long()
        each = functional.cross_entropy(predicted[k], classes, reduction="none")
        torch.testing.assert_close(losses[k], (each * torch.tensor(wanted).float()[classes]).mean())


def test_a_class_that_never_occurs_has_weight_one() -> None:
    assert balanced_weights(np.array([30, 0, 10])).tolist() == pytest.approx([40 / 60, 1.0, 2.0])
    assert balanced_weights(np.array([0, 0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("class_loss", ["cross-entropy", "hinge"])
def test_a_list_of_class_weights_means_its_multiples_and_leaves_the_loss_its_size(
    three_classes: Samples, class_loss: str
) -> None:
    predicted, targets = batch(three_classes, 3)

    def of(weights: object) -> Tensor:
        return loss_of(three_classes, class_loss=class_loss, class_weights=weights)(predicted, targets)[0]

    torch.testing.assert_close(of([1, 1, 1]), of("none"))
    torch.testing.assert_close(of([1, 2, 5]), of([10, 20, 50]))
    counts = class_counts(three_classes.targets[three_classes.rows["in-sample"], 0], 3)
    torch.testing.assert_close(of((1.0 / counts).tolist()), of("balanced"))
    loss = loss_of(three_classes, class_weights=[1, 2, 5])
    weights = loss._each[0].class_weights
    assert weights is not None
    assert float((weights * torch.tensor(counts)).sum() / counts.sum()) == pytest.approx(1.0)
    assert (weights / weights[0]).tolist() == pytest.approx([1, 2, 5])


def test_class_weights_that_do_not_fit_are_refused(three_classes: Samples) -> None:
    with pytest.raises(DefinitionError) as error:
        loss_of(three_classes, class_weights=[1.0, 2.0])
    assert str(error.value) == (
        "class_weights is [1.0, 2.0], but 'ROC(1)' has 3 classes: ≤ -0.5, -0.5 … 0.55, ≥ 0.55; give 3 numbers"
    )
    only = three_classes.targets[three_classes.rows["in-sample"]].copy()
    only[:] = 1.0
    with pytest.raises(DefinitionError) as error:
        Loss(three_classes.definition, dl.TrainingOptions(class_weights=[1.0, 0.0, 1.0]), only)
    assert str(error.value) == (
        "class_weights is [1.0, 0.0, 1.0], but all in-sample samples of 'ROC(1)' are of classes that count 0; give "
        "these a number above 0"
    )


def test_outputs_of_all_kinds_are_combined_by_their_weights_over_known_targets(mixed: Samples) -> None:
    predicted, targets = batch(mixed, 6)
    assert torch.isnan(targets[..., 3]).any()
    losses, _, _ = loss_of(mixed)(predicted, targets)
    for k in range(K):
        p, t = predicted[k], targets[k]
        known = ~torch.isnan(t[:, 3])
        parts = [
            functional.mse_loss(p[:, 0], t[:, 0]),
            sum(pinball(p[:, 1 + i], t[:, 1], q) for i, q in enumerate([0.1, 0.5, 0.9])) / 3,
            functional.binary_cross_entropy_with_logits(p[:, 4], t[:, 2]),
            functional.binary_cross_entropy_with_logits(p[known, 5], t[known, 3]),
        ]
        wanted = (parts[0] + parts[1] + 3 * parts[2] + parts[3]) / 6
        torch.testing.assert_close(losses[k], wanted)


def test_an_unknown_target_has_no_gradient_and_an_output_without_any_counts_nothing(mixed: Samples) -> None:
    predicted, targets = batch(mixed, 6)
    targets = targets.clone()
    targets[..., 3] = float("nan")
    losses, _, counts = loss_of(mixed)(predicted, targets)
    losses.sum().backward()
    assert predicted.grad is not None
    assert predicted.grad[..., 5].abs().sum() == 0
    assert predicted.grad[..., :5].abs().amax(dim=(0, 1)).min() > 0
    assert torch.isfinite(losses).all()
    assert isinstance(counts, Tensor)
    assert counts.tolist() == [[B, B, B, 0]] * K


def test_numbers_of_different_weight_are_combined_by_it(describe, numbers: Samples) -> None:
    heavy = [dl.Output("ROC(5)", look_ahead=5, weight=4.0), dl.Output("ROC(1)", look_ahead=1)]
    definition = describe("unused", outputs=heavy).definition
    predicted, targets = batch(numbers, 2)
    in_sample = numbers.targets[numbers.rows["in-sample"]]
    losses, _, _ = Loss(definition, dl.TrainingOptions(), in_sample)(predicted, targets)
    each = (predicted - targets).square().mean(dim=1)
    torch.testing.assert_close(losses, (4 * each[:, 0] + each[:, 1]) / 5)


@pytest.mark.parametrize("kind", ["numbers", "mixed"])
def test_sample_weights_multiply_each_samples_loss(request: pytest.FixtureRequest, kind: str) -> None:
    samples: Samples = request.getfixturevalue(kind)
    predicted, targets = batch(samples, 2 if kind == "numbers" else 6)
    targets = targets.nan_to_num(0.0)  # a sample that is left out would change what the mean is of
    loss, weights = loss_of(samples), torch.rand(K, B, generator=torch.Generator().manual_seed(0))
    losses, _, _ = loss(predicted, targets, weights)
    single = torch.stack([loss(predicted[:, b : b + 1], targets[:, b : b + 1])[0] for b in range(B)], dim=1)
    torch.testing.assert_close(losses, (single * weights).mean(dim=1))


def test_the_losses_of_minibatches_add_up_to_that_of_all_samples(mixed: Samples) -> None:
    loss = loss_of(mixed)
    predicted, targets = batch(mixed, 6)
    whole, _, _ = loss(predicted, targets)
    parts = [loss(predicted[:, part], targets[:, part]) for part in (slice(0, 3), slice(3, 21), slice(21, B))]
    together = loss.mean(sum(sums for _, sums, _ in parts), sum(counts for _, _, counts in parts))  # type: ignore[arg-type]
    torch.testing.assert_close(together, whole)


def test_one_row_of_targets_serves_all_networks(mixed: Samples) -> None:
    predicted, targets = batch(mixed, 6)
    alone, _, _ = loss_of(mixed)(predicted, targets[0])
    torch.testing.assert_close(alone, loss_of(mixed)(predicted, targets[:1].expand(K, B, 4))[0])
