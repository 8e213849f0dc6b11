"""Scaling against NumPy's own statistics, in and out to the bit."""

import json

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.errors import PredictionError, SamplesError
from dlplugin.samples.scaling import Scaling, fit_scaling

RNG = np.random.default_rng(7)
ROWS = {"A": RNG.normal(5, 3, (200, 1)), "B": RNG.normal(-2, 1, (100, 1))}
POOLED = np.concatenate(list(ROWS.values()))[:, 0]


@pytest.mark.parametrize(
    ("method", "center", "scale"),
    [
        ("standard", POOLED.mean(), POOLED.std()),
        ("robust", np.median(POOLED), np.subtract(*np.percentile(POOLED, [75, 25]))),
        ("min-max", POOLED.min(), np.ptp(POOLED)),
        ("none", 0.0, 1.0),
    ],
)
def test_each_method_uses_its_own_centre_and_scale_over_all_symbols(
    method: str, center: float, scale: float
) -> None:
    scaling = fit_scaling([dl.Input("close", scaling=method)], ROWS)  # type: ignore[arg-type]
    assert scaling.symbols == ()
    assert scaling.of("whatever").center[0] == center
    assert scaling.of(None).scale[0] == scale


def test_a_column_can_be_scaled_by_symbol_beside_a_pooled_one() -> None:
    rows = {symbol: np.hstack([values, values]) for symbol, values in ROWS.items()}
    scaling = fit_scaling([dl.Input("close", pooled=False), dl.Input("open")], rows)
    assert scaling.of("A").center.tolist() == [ROWS["A"].mean(), POOLED.mean()]
    assert scaling.of("B").center.tolist() == [ROWS["B"].mean(), POOLED.mean()]
    with pytest.raises(PredictionError) as error:
        scaling.of("C")
    assert str(error.value) == (
        "the model is scaled by symbol and was trained on A, B, not on 'C'; give symbol=, or train with pooled=True"
    )


def test_a_symbol_without_in_sample_rows_cannot_be_scaled_by_itself() -> None:
    with pytest.raises(SamplesError) as error:
        fit_scaling([dl.Input("close", pooled=False)], ROWS | {"C": np.empty((0, 1))})
    assert str(error.value) == (
        "C has no in-sample rows, so 'close' cannot be scaled by symbol; leave it out, or use pooled=True"
    )


def test_values_are_clipped_and_come_back_in_their_own_unit() -> None:
    scaling = fit_scaling([dl.Input("close", clip=1.5)], ROWS).of(None)
    scaled = scaling.apply(np.array([[POOLED.mean()], [1e9], [-1e9], [np.nan]]))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[:, 0], np.float32([0, 1.5, -1.5, np.nan]))
    assert scaling.invert(scaled)[1, 0] == pytest.approx(POOLED.mean() + 1.5 * POOLED.std())


def test_a_constant_column_is_only_centred() -> None:
    scaling = fit_scaling([dl.Input("close")], {"A": np.full((10, 1), 0.1)}).of(None)
    assert scaling.scale[0] == 1.0
    assert scaling.apply(np.full((1, 1), 0.1))[0, 0] == pytest.approx(0, abs=1e-7)


def test_json_keeps_every_bit() -> None:
    scaling = fit_scaling([dl.Input("close", pooled=False, clip=3.0)], ROWS)
    back = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert back.symbols == scaling.symbols
    for name in ("center", "scale", "clip"):
        np.testing.assert_array_equal(getattr(back, name), getattr(scaling, name))


def test_a_column_that_is_mostly_one_value_is_scaled_by_its_standard_deviation() -> None:
    values = np.zeros((100, 1))
    values[::20] = 100.0
    scaling = fit_scaling([dl.Input("CDLDOJI()", scaling="robust")], {"A": values}).of(None)
    assert (scaling.center[0], scaling.scale[0]) == (0.0, values.std())
