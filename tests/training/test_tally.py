"""Accuracy and correlation of an epoch against scikit-learn and SciPy."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import accuracy_score

import dlplugin as dl
from dlplugin.samples import Samples
from dlplugin.training.steps.losses import Loss
from dlplugin.training.tally import Tally
from tests.training.stepping import samples_of, trained


def tallied(
    samples: Samples, predicted: torch.Tensor, targets: torch.Tensor, cut: int, **wanted: bool
) -> Tally:
    loss = Loss(samples.definition, dl.TrainingOptions(), samples.targets[samples.rows["in-sample"]])
    tally = Tally(loss, **wanted)
    for part in (slice(0, cut), slice(cut, None)):
        _, sums, counts = loss(predicted[:, part], targets[..., part, :])
        tally.add(sums, counts, predicted[:, part], targets[..., part, :])
    return tally


@pytest.fixture
def some(mixed: Samples) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions (2, 300, 6) and targets (300, 4)."""
    rows = mixed.rows["in-sample"][:300]
    return torch.randn(2, 300, 6, generator=torch.Generator().manual_seed(2)), torch.from_numpy(
        mixed.targets[rows]
    )


def test_accuracy_is_the_mean_over_the_outputs_of_the_share_that_is_right_and_known(
    mixed: Samples, some: tuple[torch.Tensor, torch.Tensor]
) -> None:
    predicted, targets = some
    given = tallied(mixed, predicted, targets, 70).accuracy()
    known = ~torch.isnan(targets[:, 3])
    wanted = []
    for k in range(2):
        two = accuracy_score(targets[:, 2], predicted[k, :, 4] > 0)
        dropped = accuracy_score(targets[known, 3], predicted[k, known, 5] > 0)
        wanted.append((two + dropped) / 2)
    assert given == pytest.approx(wanted)
    nothing = targets.clone()
    nothing[:, 3] = torch.nan
    two = [accuracy_score(targets[:, 2], predicted[k, :, 4] > 0) for k in range(2)]
    assert tallied(mixed, predicted, nothing, 70).accuracy() == pytest.approx(two)


def test_of_more_than_two_classes_the_highest_score_is_predicted(three_classes: Samples) -> None:
    rows = three_classes.rows["in-sample"][:300]
    targets = torch.from_numpy(three_classes.targets[rows])
    predicted = torch.randn(2, 300, 3, generator=torch.Generator().manual_seed(2))
    given = tallied(three_classes, predicted, targets, 1).accuracy()
    assert given == pytest.approx([accuracy_score(targets[:, 0], each.argmax(dim=1)) for each in predicted])


def test_correlation_is_the_mean_over_numbers_and_middle_quantiles_in_order(
    mixed: Samples, some: tuple[torch.Tensor, torch.Tensor]
) -> None:
    predicted, targets = some
    predicted[:, :, 0] += 0.8 * targets[:, 0]
    given = tallied(mixed, predicted, targets, 111, correlation=True).correlation()
    wanted = [
        (
            stats.pearsonr(each[:, 0], targets[:, 0])[0]
            + stats.pearsonr(np.median(each[:, 1:4], axis=1), targets[:, 1])[0]
        )
        / 2
        for each in predicted.double()
    ]
    assert given == pytest.approx(wanted)
    assert tallied(mixed, predicted, targets, 111).correlation() is None


def test_a_score_of_exactly_0_is_of_the_lower_class_as_in_a_prediction(two_classes: Samples) -> None:
    rows = two_classes.rows["in-sample"][:300]
    targets = torch.from_numpy(two_classes.targets[rows])
    given = tallied(two_classes, torch.zeros(1, 300, 1), targets, 100).accuracy()
    assert given == pytest.approx([float((targets == 0).double().mean())])


def test_unknown_targets_do_not_count_in_the_correlation(numbers: Samples) -> None:
    targets = torch.from_numpy(numbers.targets[numbers.rows["in-sample"][:300]].copy())
    targets[::3, 1] = torch.nan
    predicted = torch.randn(1, 300, 2, generator=torch.Generator().manual_seed(2)) + 1.0
    wanted = []
    for column in range(2):
        known = ~torch.isnan(targets[:, column])
        wanted.append(stats.pearsonr(predicted[0, known, column], targets[known, column])[0])
    (given,) = tallied(numbers, predicted, targets, 100, correlation=True).correlation() or ()
    assert given == pytest.approx(np.mean(wanted))


def test_of_an_even_number_of_quantiles_the_two_in_the_middle_count(describe, two_stocks: dl.DataSet) -> None:
    output = dl.Output("ROC(3)", look_ahead=3, quantiles=[0.1, 0.4, 0.6, 0.9])
    samples = samples_of(describe("unused", outputs=[output]), two_stocks)
    targets = torch.from_numpy(samples.targets[samples.rows["in-sample"][:200]])
    predicted = torch.randn(1, 200, 4, generator=torch.Generator().manual_seed(2))
    given = tallied(samples, predicted, targets, 50, correlation=True).correlation()
    wanted = stats.pearsonr(np.median(predicted[0].double(), axis=1), targets[:, 0].double())[0]
    assert given == pytest.approx([wanted])


def test_predictions_that_never_change_correlate_with_nothing(
    mixed: Samples, some: tuple[torch.Tensor, torch.Tensor]
) -> None:
    predicted, targets = some
    predicted[...] = 0.1
    assert tallied(mixed, predicted, targets, 150, correlation=True).correlation() == (0.0, 0.0)


def test_the_loss_is_that_of_all_samples_together(
    mixed: Samples, some: tuple[torch.Tensor, torch.Tensor]
) -> None:
    predicted, targets = some
    whole, cut = (tallied(mixed, predicted, targets, at).loss() for at in (0, 290))
    torch.testing.assert_close(whole, cut)


def test_an_epoch_tells_accuracy_with_classes_and_correlation_when_it_is_monitored(
    mixed: Samples, two_classes: Samples, numbers: Samples
) -> None:
    _, ends = trained(two_classes, 4, batch_size=200, learning_rate=0.02)
    losses = ends.losses[-1]
    targets = two_classes.targets[two_classes.rows["out-of-sample"], 0]
    assert losses.out_of_sample_accuracy is not None
    assert losses.in_sample_accuracy is not None
    assert 0.4 < losses.in_sample_accuracy[0] < 1.0
    assert losses.out_of_sample_accuracy[0] * len(targets) == pytest.approx(
        round(losses.out_of_sample_accuracy[0] * len(targets)), abs=1e-3
    )
    assert losses.out_of_sample_correlation is None
    module, ends = trained(numbers, 1, batch_size=200, monitor="correlation", networks=2)
    losses = ends.losses[-1]
    assert losses.in_sample_accuracy is losses.out_of_sample_accuracy is None
    rows = module.out_of_sample_rows
    with torch.inference_mode():
        seen = module.network.eval()(module.reader(module.matrix, rows).expand(2, -1, -1))
    came = module.targets[rows]
    wanted = [np.mean([stats.pearsonr(seen[k, :, o], came[:, o])[0] for o in range(2)]) for k in range(2)]
    assert losses.out_of_sample_correlation == pytest.approx(wanted, abs=1e-6)


def test_without_an_out_of_sample_span_there_is_nothing_of_it(describe, two_stocks) -> None:
    outputs = [dl.Output("ROC(1)", look_ahead=1, classes=[0.0])]
    samples = samples_of(describe("unused", outputs=outputs), two_stocks, dl.Split(0.8, 0.0))
    _, ends = trained(samples, 1, batch_size=500)
    (losses,) = ends.losses
    assert losses.out_of_sample is losses.out_of_sample_accuracy is losses.out_of_sample_correlation is None
    assert losses.in_sample_accuracy is not None
