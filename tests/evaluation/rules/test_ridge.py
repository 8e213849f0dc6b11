import numpy as np
import pytest
from sklearn.linear_model import Ridge as IndependentRidge

from dlplugin.evaluation.rules import fit_ridge
from dlplugin.evaluation.rules import ridge as module
from dlplugin.evaluation.rules.ridge import PENALTIES


def days(count, symbols=1):
    return np.repeat(np.datetime64("2001-01-01", "ns") + np.arange(count) * np.timedelta64(1, "D"), symbols)


@pytest.fixture
def data():
    random = np.random.default_rng(3)
    inputs = (random.standard_normal((900, 8)) @ random.standard_normal((8, 8)) + 5).astype(np.float32)
    actual = inputs[:, :2] @ np.array([[0.3, 0.0], [0.1, 0.0]]) + 3 * random.standard_normal((900, 2)) - 7
    return inputs, actual, days(300, symbols=3)


def independent(inputs, actual, alpha):
    return IndependentRidge(alpha=alpha, solver="cholesky").fit(inputs.astype(np.float64), actual)


def test_ridge_is_that_of_scikit_learn_for_each_output(data):
    inputs, actual, times = data
    fitted = fit_ridge(inputs, actual, times, reach=5)
    for output in range(2):
        expected = independent(inputs, actual[:, output], fitted.alpha[output])
        np.testing.assert_allclose(fitted.coefficients[:, output], expected.coef_, rtol=1e-8)
        assert fitted.intercept[output] == pytest.approx(expected.intercept_, rel=1e-8)
        predicted = fitted.predict(inputs)[:, output]
        np.testing.assert_allclose(predicted, expected.predict(inputs.astype(np.float64)), rtol=1e-8)


def test_chunks_do_not_change_the_fit(data, monkeypatch):
    whole = fit_ridge(*data, reach=5)
    monkeypatch.setattr(module, "CHUNK", 37)
    chunked = fit_ridge(*data, reach=5)
    np.testing.assert_allclose(chunked.coefficients, whole.coefficients, rtol=1e-9)
    np.testing.assert_allclose(chunked.predict(data[0]), whole.predict(data[0]), rtol=1e-9)


def test_the_penalty_is_the_best_on_the_last_quarter_with_a_gap_before_it(data):
    inputs, actual, times = data
    fitted = fit_ridge(inputs, actual, times, reach=5)
    tried, judged = slice(0, (225 - 5) * 3), slice(225 * 3, None)
    variance = inputs[tried].astype(np.float64).var(axis=0).mean()
    for output in range(2):
        errors = {}
        for penalty in PENALTIES:
            rule = independent(inputs[tried], actual[tried, output], penalty * variance * 660)
            missed = rule.predict(inputs[judged].astype(np.float64)) - actual[judged, output]
            errors[penalty] = np.mean(missed**2)
        assert fitted.penalty[output] == min(errors, key=errors.get)
    assert fitted.penalty[0] < fitted.penalty[1]  # the first output is predictable, the second is not


def test_what_reaches_into_the_judged_quarter_is_not_tried():
    """Outputs copied from the judged quarter would make a tiny penalty look best."""
    random = np.random.default_rng(5)
    inputs = random.standard_normal((200, 30)).astype(np.float32)
    actual = random.standard_normal((200, 1))
    inputs[110:150], actual[110:150] = inputs[150:190], actual[150:190]
    leaked = fit_ridge(inputs, actual, days(200), reach=1)
    purged = fit_ridge(inputs, actual, days(200), reach=40)
    assert leaked.penalty[0] < purged.penalty[0]


def test_with_few_days_the_penalty_is_not_chosen(data):
    inputs, actual, _ = data
    fitted = fit_ridge(inputs[:39], actual[:39], days(39), reach=5)
    assert fitted.penalty.tolist() == [1.0, 1.0]
    fitted = fit_ridge(inputs[:60], actual[:60], days(60), reach=36)
    assert fitted.penalty.tolist() == [1.0, 1.0]


def test_the_unit_of_the_inputs_does_not_matter(data):
    inputs, actual, times = data
    plain = fit_ridge(inputs, actual, times, reach=5)
    scaled = fit_ridge(inputs * np.float32(2**20), actual, times, reach=5)
    assert scaled.penalty.tolist() == plain.penalty.tolist()
    np.testing.assert_allclose(scaled.predict(inputs * np.float32(2**20)), plain.predict(inputs), rtol=1e-9)


@pytest.mark.parametrize("kind", ["constant", "repeated", "one sample", "large offset"])
def test_awkward_inputs_give_finite_predictions(data, kind):
    inputs, actual, times = (array[:300] for array in data)
    inputs = inputs.copy()
    if kind == "constant":
        inputs[:] = 3.0
    elif kind == "repeated":
        inputs[:, 1:] = inputs[:, :1]
    elif kind == "one sample":
        inputs, actual, times = inputs[:1], actual[:1], times[:1]
    else:
        inputs += 1e4
    predicted = fit_ridge(inputs, actual, times, reach=5).predict(inputs)
    assert np.isfinite(predicted).all()
    if kind in ("constant", "one sample"):
        np.testing.assert_allclose(predicted, np.tile(actual.mean(axis=0), (len(actual), 1)))


@pytest.mark.slow
def test_half_a_million_samples_of_a_hundred_inputs_are_fitted_as_scikit_learn_does():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((500_000, 100), dtype=np.float32)
    actual = 0.1 * inputs[:, :1] + random.standard_normal((500_000, 1))
    fitted = fit_ridge(inputs, actual, days(5000, symbols=100), reach=5)
    expected = independent(inputs, actual[:, 0], fitted.alpha[0])
    np.testing.assert_allclose(fitted.coefficients[:, 0], expected.coef_, rtol=1e-6, atol=1e-9)
