"""Models of all kinds, evaluated: their figures against what a user computes from `predict` and the bars."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import dlplugin as dl
from dlplugin.evaluation import trained
from dlplugin.evaluation.classes import evaluate_classes
from dlplugin.evaluation.summary import MORE, MORE_RANGES
from dlplugin.samples import build_samples, rows_with_dropped


def joined(model: dl.Model, dataset: dl.DataSet, span: str, look_ahead: int) -> pd.DataFrame:
    """Predictions of a span's samples beside the percent change that came, from pandas alone."""
    dates = model.spans[span]
    parts = []
    for symbol in dataset.symbols:
        closes = dataset[symbol]["close"]
        index = closes.index
        came = ((closes.shift(-look_ahead) / closes - 1) * 100).rename("came")
        first, last = (pd.Series(index, index=index).shift(-step) for step in (1, look_ahead))
        inside = (first >= dates.start) & (last <= dates.end)
        parts.append(model.predict(dataset[symbol], symbol).join(came)[inside].dropna())
    return pd.concat(parts)


@pytest.mark.parametrize("span", ["in-sample", "out-of-sample"])
def test_classes_are_scored_as_predicted(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet, span: str
) -> None:
    model = kinds["classes"]
    rows = joined(model, two_stocks, span, 1)
    came = np.select([rows["came"] <= -0.5, rows["came"] >= 0.55], [0, 2], 1)
    scores = next(each for each in model.evaluate(two_stocks).scores() if each.span == span)
    np.testing.assert_array_equal(scores.counts, metrics.confusion_matrix(came, rows["ROC(1)"]))
    shares = rows.iloc[:, 1:4]
    assert scores.log_loss == pytest.approx(metrics.log_loss(came, shares.to_numpy(), labels=[0, 1, 2]))


def test_a_dropped_class_is_not_scored(kinds: dict[str, dl.Model], two_stocks: dl.DataSet) -> None:
    model = kinds["scores"]
    rows = joined(model, two_stocks, "out-of-sample", 5)
    kept = rows[(rows["came"] <= -1) | (rows["came"] >= 1)]
    scores = model.evaluation.scores("way")[1]
    assert scores.samples == len(kept) < len(rows)
    assert scores.accuracy == pytest.approx(((kept["came"] >= 1) == kept["way"]).mean())
    assert np.isnan(scores.log_loss)
    assert scores.days == kept.index.nunique()


@pytest.mark.parametrize("span", ["in-sample", "out-of-sample"])
def test_with_the_dropped_class_all_that_is_predicted_is_scored(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet, span: str
) -> None:
    model = kinds["scores"]
    rows = joined(model, two_stocks, span, 5)
    came = np.select([rows["came"] <= -1, rows["came"] >= 1], [0, 1], 2)
    scores = next(each for each in model.evaluate(two_stocks).scores() if each.span == span)
    found = scores.with_dropped
    assert found.samples == len(rows) > scores.samples
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(came, rows["way"]))
    assert found.accuracy == pytest.approx((came == rows["way"]).mean())
    assert 0 < found.errors.accuracy < scores.errors.accuracy
    assert found.days == rows.index.nunique()
    assert (scores.start, scores.end) == (rows.index.min(), rows.index.max())


class Alternating:
    """Names the two classes in turn, stacked bar by stacked bar, in place of a network."""

    columns = ("way", "way [down]", "way [up]")
    first = (0,)
    gives_probabilities = False

    def predict_rows(self, matrix: np.ndarray, rows: np.ndarray, symbol: str) -> np.ndarray:
        return np.repeat(rows[:, None] % 2, 3, axis=1).astype(float)


def test_each_dropped_sample_has_its_own_prediction(two_stocks: dl.DataSet) -> None:
    output = dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1], drop="middle", name="way")
    definition = dl.Definition("alternating", ["RSI(14)"], [output])
    samples = build_samples(definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))
    found = trained.evaluate_samples(samples, Alternating(), selected=False)  # type: ignore[arg-type]
    for scores in found.scores():
        rows = rows_with_dropped(samples, scores.span)
        came = np.nan_to_num(samples.targets[rows, 0], nan=2).astype(int)
        expected = metrics.confusion_matrix(came, rows % 2)
        np.testing.assert_array_equal(scores.with_dropped.counts, expected)
        assert scores.dropped == tuple(expected[2, :2])


def test_the_error_of_classes_counts_their_look_ahead_whatever_is_dropped(
    monkeypatch: pytest.MonkeyPatch, kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    seen = []
    monkeypatch.setattr(
        trained, "evaluate_classes", lambda *given: seen.append(given) or evaluate_classes(*given)
    )
    kinds["scores"].evaluate(two_stocks)
    kinds["classes"].evaluate(two_stocks)
    assert [(inside.overlap, outside.overlap) for _, inside, outside, _ in seen] == [(5, 5), (1, 1)]


def test_the_middle_quantile_is_scored_as_a_number_and_all_are_calibrated(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    model = kinds["quantiles"]
    found = model.evaluate(two_stocks)
    for scores in found.scores():
        rows = joined(model, two_stocks, scores.span, 5)
        columns = [f"ROC(5) [q {level:g}]" for level in (0.1, 0.25, 0.5, 0.9)]
        assert scores.below == pytest.approx([(rows["came"] < rows[column]).mean() for column in columns])
        scale = found.outputs[0].scale
        squares = ((rows["ROC(5)"] - rows["came"]) / scale) ** 2
        assert scores.by_rule["model"].loss == pytest.approx(squares.mean())
    below = found.scores()[1].below
    line = ", ".join(
        f"{100 * share:.1f} % below q {level:g}"
        for share, level in zip(below, (0.1, 0.25, 0.5, 0.9), strict=True)
    )
    assert f"actual values, out-of-sample: {line}" in " ".join(str(found).split())
    assert f"actual values, out-of-sample: {line}" in found._repr_html_()
    assert dl.evaluation.Evaluation.from_json(found.to_json()).to_json() == found.to_json()


def test_numbers_are_stored_without_classes_and_quantiles(kinds: dict[str, dl.Model]) -> None:
    stored = json.loads(kinds["networks"].evaluation.to_json())
    assert [(each["labels"], each["quantiles"]) for each in stored["outputs"]] == [([], [])] * 2
    spans = [span for result in stored["results"] for span in result["spans"]]
    assert [span["below"] for span in spans] == [[]] * 4


def test_tables_of_ranges_are_offered_where_there_are_ranges(kinds: dict[str, dl.Model]) -> None:
    more = {name: str(model.evaluation).splitlines()[-1] for name, model in kinds.items()}
    assert more["classes"] == MORE
    assert more["quantiles"] == MORE + MORE_RANGES


@pytest.mark.usefixtures("without_boosting")
def test_the_stored_evaluation_is_that_of_the_same_data(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    for model in kinds.values():
        found = model.evaluate(two_stocks)
        assert json.loads(found.to_json()) == json.loads(model.evaluation.to_json())
        assert str(found) == str(model.evaluation)


def test_boosting_is_a_rule_of_an_evaluation_that_is_asked_for(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    for model in (kinds["classes"], kinds["networks"]):
        found, stored = model.evaluate(two_stocks), model.evaluation
        for span, other in zip(found.scores(), stored.scores(), strict=True):
            assert set(span.by_rule) - set(other.by_rule) == {"gradient boosting"}
            assert all(repr(span.by_rule[rule]) == repr(other.by_rule[rule]) for rule in other.by_rule)
        assert str(found).count("gradient boosting") >= 1
        assert "gradient boosting" not in str(stored)


def test_all_that_is_known_of_each_sample_is_looked_up_at_its_own_bar(
    kinds: dict[str, dl.Model], two_stocks: dl.DataSet
) -> None:
    """The class of today's change, and the side of today's price, from pandas alone."""
    model = kinds["classes"]
    scores = model.evaluation.scores()[1]
    hits: dict[str, list[bool]] = {"last value": [], "last return's sign": [], "below 10-day mean": []}
    for symbol in two_stocks.symbols:
        bars = two_stocks[symbol]
        price = bars["adj_close"] if "adj_close" in bars else bars["close"]
        came, now = (100 * bars["close"].pct_change()).shift(-1), 100 * bars["close"].pct_change()
        first = pd.Series(bars.index, index=bars.index).shift(-1)
        inside = (first >= model.spans["out-of-sample"].start) & (first <= model.spans["out-of-sample"].end)
        classes, today = (np.select([each <= -0.5, each >= 0.55], [0, 2], 1) for each in (came, now))
        up = np.where(price.pct_change() > 0, 2, 0)
        below = np.where(price < price.rolling(10).mean(), 2, 0)
        for rule, named in zip(hits, (today, up, below), strict=True):
            moved = (price.diff() != 0).to_numpy()[inside]
            right = (named == classes)[inside]
            hits[rule] += right[moved].tolist() if rule == "last return's sign" else right.tolist()
    for rule, right in hits.items():
        assert scores.by_rule[rule].accuracy == pytest.approx(np.mean(right), abs=0.005)
