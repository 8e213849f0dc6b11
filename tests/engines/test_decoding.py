"""What networks give to predictions, against one row at a time with SciPy and the standard library."""

import statistics

import numpy as np
import pytest
from scipy.special import expit, softmax

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines.decoding import decode, probabilities
from dlplugin.samples import ColumnScaling

OUTPUTS = [
    dl.Output("ROC(5)", look_ahead=5, name="number"),
    dl.Output("ROC(1)", look_ahead=1, classes=[0], name="two"),
    dl.Output("ROC(1)", look_ahead=1, classes=[-1, 0, 1], name="four"),
    dl.Output("ROC(1)", look_ahead=1, quantiles=[0.1, 0.5, 0.9], name="odd"),
    dl.Output("ROC(1)", look_ahead=1, quantiles=[0.1, 0.2, 0.8, 0.9], name="even"),
]
MIXED = Definition("mixed", ["RSI(14)"], OUTPUTS)
SCALING = ColumnScaling(np.array([0.3, 0, 0, -2.0, 5.0]), np.array([2.0, 1, 1, 3.0, 0.5]), np.full(5, np.inf))


def obvious(given: np.ndarray, class_loss: str) -> list[float]:
    """One row's prediction from (K, N): numbers, one output after another, in plain words."""
    several = len(given) > 1
    row: list[float] = []

    def spread(values: list[float]) -> list[float]:
        return [statistics.pstdev(values)] if several else []

    own = [2.0 * value + 0.3 for value in given[:, 0]]
    row += [statistics.fmean(own), *spread(own)]
    for columns in (given[:, 1:2], given[:, 2:6]):
        if class_loss == "hinge":
            each = [[-s[0], s[0]] if len(s) == 1 else list(s) for s in columns]
        else:
            each = [[1 - expit(s[0]), expit(s[0])] if len(s) == 1 else list(softmax(s)) for s in columns]
        mean = [statistics.fmean(values) for values in zip(*each, strict=True)]
        best = mean.index(max(mean))
        row += [best, *mean, *spread([one[best] for one in each])]
    for columns, center, scale in ((given[:, 6:9], -2.0, 3.0), (given[:, 9:13], 5.0, 0.5)):
        each = [sorted(scale * value + center for value in one) for one in columns]
        mean = sorted(scale * statistics.fmean(values) + center for values in columns.T)
        row += [statistics.median(mean), *mean, *spread([statistics.median(one) for one in each])]
    return row


@pytest.mark.parametrize("class_loss", ["cross-entropy", "hinge"])
@pytest.mark.parametrize("networks", [1, 2, 5])
def test_every_column_is_what_it_says(class_loss: str, networks: int) -> None:
    given = np.random.default_rng(networks).normal(0, 2, (networks, 40, 13))
    found = decode(MIXED, given, SCALING, class_loss)
    assert found.shape == (40, len(MIXED.columns(networks)))
    for row in range(40):
        np.testing.assert_allclose(found[row], obvious(given[:, row], class_loss), rtol=1e-12, atol=1e-12)


def test_quantiles_never_cross() -> None:
    given = np.random.default_rng(0).normal(0, 2, (3, 500, 13))
    assert (np.diff(given[..., 6:9].mean(axis=0)) < 0).any()
    names = MIXED.columns(3)
    first = names.index("odd [q 0.1]")
    found = decode(MIXED, given, SCALING, "cross-entropy")[:, first : first + 3]
    assert (np.diff(found) >= 0).all()
    np.testing.assert_array_equal(found[:, 1], decode(MIXED, given, SCALING, "hinge")[:, names.index("odd")])


def test_probabilities_add_up_to_1_also_far_out_and_are_nan_where_a_network_failed() -> None:
    scores = np.array([[800.0, -800.0, 0.0], [1e-3, 0.0, -1e-3], [np.inf, 0.0, 0.0], [np.nan, 0.0, 0.0]])
    found = probabilities(scores)
    np.testing.assert_allclose(found[:2], softmax(scores[:2], axis=1), rtol=1e-14)
    np.testing.assert_allclose(found[:2].sum(axis=1), 1, rtol=1e-15)
    assert np.isnan(found[2:]).all()
    np.testing.assert_allclose(probabilities(np.array([[-40.0]]))[0], [expit(40.0), expit(-40.0)], rtol=1e-13)


def test_a_failed_prediction_has_no_class_and_of_equals_the_lower_one_is_named() -> None:
    given = np.zeros((1, 2, 13))
    given[0, 1, 1:6] = np.nan
    found = decode(MIXED, given, SCALING, "cross-entropy")
    at = [MIXED.columns().index("two"), MIXED.columns().index("four")]
    assert found[0, at].tolist() == [0, 0]
    assert np.isnan(found[1, at]).all()


def test_a_row_has_the_same_bits_alone_and_among_others() -> None:
    given = np.random.default_rng(1).normal(0, 3, (3, 701, 13))
    whole = decode(MIXED, given, SCALING, "cross-entropy")
    for start, size in ((0, 1), (3, 1), (5, 2), (9, 7), (100, 33), (690, 11)):
        part = decode(MIXED, given[:, start : start + size], SCALING, "cross-entropy")
        np.testing.assert_array_equal(part, whole[start : start + size])
