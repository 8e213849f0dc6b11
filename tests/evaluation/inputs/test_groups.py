"""Groups of inputs against SciPy."""

import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

import dlplugin as dl
from dlplugin.evaluation.inputs.groups import average_linkage, input_correlations
from dlplugin.samples import matrix_columns
from tests.evaluation.inputs.planted import linear, planted_data, samples_of


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("least", [0.3, 0.5, 0.7])
def test_groups_are_those_of_scipys_average_linkage(seed: int, least: float) -> None:
    random = np.random.default_rng(seed)
    factors = random.standard_normal((200, 4)) @ random.standard_normal((4, 12))
    similarity = np.abs(np.corrcoef(factors + random.standard_normal((200, 12)), rowvar=False))
    np.fill_diagonal(similarity, 1.0)
    tree = hierarchy.average(squareform(1 - similarity, checks=False))
    numbers = hierarchy.fcluster(tree, 1 - least, criterion="distance")
    theirs = sorted(tuple(np.flatnonzero(numbers == each).tolist()) for each in np.unique(numbers))
    assert average_linkage(similarity, least) == theirs


def test_a_chain_of_neighbours_is_not_one_group() -> None:
    chain = np.array([[1, 0.8, 0.1, 0.0], [0.8, 1, 0.75, 0.1], [0.1, 0.75, 1, 0.8], [0.0, 0.1, 0.8, 1]])
    assert average_linkage(chain, 0.7) == [(0, 1), (2, 3)]


def test_correlations_are_spearmans_in_sample_with_ties_and_without_sign() -> None:
    dataset = planted_data({"a": 1.0, "b": 0.0}, copies={"c": ("a", 0.5)}, bars=200)
    inputs = ["a", "c * -1", dl.Input("b", clip=0.5), "volume * 0"]
    samples = samples_of(linear(inputs), dataset)
    read = samples.matrix[samples.rows["in-sample"]].astype(np.float64)
    expected = np.abs(spearmanr(read[:, :3]).statistic)
    found = input_correlations(samples)
    np.testing.assert_allclose(found[:3, :3], expected, atol=1e-12)
    assert found[0, 1] > 0.8
    np.testing.assert_array_equal(found[3], [0, 0, 0, 1])


def test_an_input_with_categories_moves_as_its_closest_column_does() -> None:
    dataset = planted_data({"a": 1.0}, bars=200)
    samples = samples_of(
        linear([dl.Input("day_of_week", categories=[0, 1, 2, 3, 4]), "day_of_week"]), dataset
    )
    read = samples.matrix[samples.rows["in-sample"]]
    assert matrix_columns(samples.definition).input.tolist() == [0] * 5 + [1]
    expected = max(abs(spearmanr(read[:, column], read[:, 5]).statistic) for column in range(5))
    np.testing.assert_allclose(input_correlations(samples), [[1, expected], [expected, 1]])
