"""Data loaded after the training: they are out of sample, the holdout's days are in no side, and it is said."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.errors import SamplesError
from dlplugin.evaluation import Evaluation

OPTIONS = dl.TrainingOptions(epochs=1)
END = pd.Timestamp("2009-12-31")

pytestmark = [
    pytest.mark.filterwarnings("ignore:the out-of-sample samples are:dlplugin.DLPluginWarning"),
    pytest.mark.usefixtures("without_boosting"),
]


def cut(dataset: dl.DataSet, symbols: list[str], name: str = "cut") -> dl.DataSet:
    return dl.DataSet.from_frames(name, {symbol: dataset[symbol].loc[:END] for symbol in symbols})


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, describe: Callable[..., dl.Model], us_stocks: dl.DataSet
) -> dict[str, dl.Model]:
    """Each kind of validation, on bars until the end of 2009."""
    store = tmp_path_factory.mktemp("later") / "models"
    two, other = cut(us_stocks, ["AAPL", "IBM"]), cut(us_stocks, ["INTC"], "other")
    splits = {
        "dates": dl.Split(0.6, 0.2),
        "symbols": dl.Split(held_out=["IBM"]),
        "random": dl.Split(random=0.25),
        "dataset": dl.Split(0.6, 0.0),
        "open": dl.Split(0.7, 0.3),
    }
    models = {}
    for name, split in splits.items():
        models[name] = describe(store, name)
        models[name].train(two, split, OPTIONS, validation=other if name == "dataset" else None)
    return models


def in_sample(found: Evaluation) -> pd.DataFrame:
    frame = found.frame()
    return frame[frame["span"] == "in-sample"].reset_index(drop=True)


def judged(found: Evaluation) -> pd.DataFrame:
    frame = found.frame()
    return frame[frame["span"] == "out-of-sample"].reset_index(drop=True)


def evaluated(model: dl.Model, dataset: dl.DataSet, us_stocks: dl.DataSet) -> Evaluation:
    return model.evaluate(dataset, us_stocks.subset(["INTC"]) if model.name == "dataset" else None)


@pytest.mark.parametrize("name", ["dates", "symbols", "random", "dataset"])
def test_later_bars_and_other_symbols_fill_the_out_of_sample_side_only(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet, name: str
) -> None:
    model = trained[name]
    before = evaluated(model, cut(us_stocks, ["AAPL", "IBM"]), us_stocks.subset(["INTC"]))
    found = evaluated(model, us_stocks.subset(["AAPL", "IBM", "MSFT"]), us_stocks)
    pd.testing.assert_frame_equal(in_sample(found), in_sample(before))
    rows, holdout = judged(found), model.spans["holdout"]
    assert not rows["time"].between(holdout.start, holdout.end).any()
    assert not in_sample(found)["time"].between(holdout.start, holdout.end).any()
    assert set(in_sample(found)["symbol"]) == ({"AAPL"} if name == "symbols" else {"AAPL", "IBM"})
    assert {"AAPL", "IBM", "MSFT"} <= set(rows["symbol"])
    later = rows[rows["time"] > END]
    assert (later.groupby("symbol").size() > 300).all()
    # the look ahead of 5 reaches into the holdout from none of the days before it
    earlier = rows[(rows["symbol"] == "MSFT") & (rows["time"] < holdout.start)]["time"]
    days = us_stocks["MSFT"].index
    assert days[days.get_loc(earlier.max()) + 5] < holdout.start
    assert earlier.min() < model.spans["in-sample"].start + pd.Timedelta(days=60)


@pytest.mark.usefixtures("without_boosting")
@pytest.mark.parametrize("name", ["dates", "symbols", "random", "dataset"])
def test_on_the_data_of_the_training_the_evaluation_is_that_of_the_training(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet, name: str
) -> None:
    model = trained[name]
    other = cut(us_stocks, ["INTC"], "other") if name == "dataset" else None
    assert model.evaluate(cut(us_stocks, ["AAPL", "IBM"]), other).to_json() == model.evaluation.to_json()


def test_it_is_said_what_the_out_of_sample_samples_are(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    later = trained["dates"].evaluate(us_stocks.subset(["AAPL", "IBM"]))
    rows = judged(later)
    new = int((rows["time"] >= END).sum())
    assert later.note == f"{new:,} of the out-of-sample samples are of bars that its training had not loaded"
    assert "chose the save point" in later.verdict  # the others did
    both = trained["symbols"].evaluate(us_stocks.subset(["AAPL", "IBM", "MMM", "MSFT"]))
    rows = judged(both)
    strange = rows[rows["symbol"].isin(["MMM", "MSFT"])]
    shared = strange["time"] <= trained["symbols"].spans["in-sample"].end
    new = (rows["time"] >= END) & ~rows["symbol"].isin(["MMM", "MSFT"])
    assert both.note == (
        f"{len(strange):,} of the out-of-sample samples are of 2 symbols that the model never trained on (MMM, "
        f"MSFT), {shared.sum():,} of them on days that trained the weights; {new.sum():,} of the out-of-sample "
        "samples are of bars that its training had not loaded; the other out-of-sample samples are those of "
        "held-out symbols: IBM"
    )


def test_bars_that_go_on_where_nothing_is_sealed_lose_no_sample(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    model = trained["open"]
    rows = judged(model.evaluate(us_stocks.subset(["AAPL", "IBM"])))
    days = us_stocks["AAPL"].index
    first = days.get_loc(model.spans["in-sample"].end)
    assert rows[rows["symbol"] == "AAPL"]["time"].tolist() == days[first:-5].tolist()


def test_a_longer_past_is_out_of_sample_too(
    tmp_path: Path, describe: Callable[..., dl.Model], us_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path)
    short = dl.DataSet.from_frames("short", {"AAPL": us_stocks["AAPL"].loc["2007-01-01":]})
    model.train(short, options=OPTIONS)
    before, found = model.evaluate(short), model.evaluate(us_stocks.subset(["AAPL"]))
    assert in_sample(found)["time"].tolist() == in_sample(before)["time"].tolist()
    assert judged(found)["time"].min() < pd.Timestamp("2004-03-01")
    inside = in_sample(found)["time"]
    assert not judged(found)["time"].between(inside.min(), inside.max() - pd.Timedelta(days=1)).any()


def test_other_symbols_alone_are_judged_beside_rules_fitted_on_the_trainings_own_data(
    tmp_path: Path, describe: Callable[..., dl.Model], us_stocks: dl.DataSet, two_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path)
    model.train(two_stocks, options=OPTIONS)
    found = model.evaluate(us_stocks.subset(["MSFT"]))
    pd.testing.assert_frame_equal(in_sample(found), in_sample(model.evaluate(two_stocks)))
    assert set(judged(found)["symbol"]) == {"MSFT"}
    assert found.note.startswith(
        "all of the out-of-sample samples are of 1 symbol that the model never trained on"
    )
    assert "chose the save point" not in found.verdict


def test_without_the_trainings_own_data_other_symbols_alone_are_refused(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    with pytest.raises(SamplesError) as refused:
        trained["dates"].evaluate(us_stocks.subset(["MSFT"], "one"))
    assert str(refused.value) == (
        "DataSet 'one' has no in-sample samples, which trivial rules are fitted on, and they cannot be read again: "
        "model 'dates' was trained on 'cut', frames in memory; add its bars with dl.DataSet.union"
    )


def test_the_bars_of_a_symbol_that_trained_are_refused_under_another_name(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet
) -> None:
    same = dl.DataSet.from_frames(
        "same", {"IBM": us_stocks["IBM"], "APPLE": cut(us_stocks, ["AAPL"])["AAPL"]}
    )
    with pytest.raises(SamplesError) as refused:
        trained["dates"].evaluate(same)
    assert str(refused.value) == (
        "APPLE has the very bars of AAPL, which the model was trained with; leave it out"
    )


def test_a_symbol_without_a_scaling_of_its_own_is_named(
    tmp_path: Path, describe: Callable[..., dl.Model], us_stocks: dl.DataSet, two_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path, inputs=["RSI(14)", dl.Input("ROC(5)", pooled=False)])
    model.train(two_stocks, options=OPTIONS)
    with pytest.raises(SamplesError) as refused:
        model.evaluate(us_stocks.subset(["AAPL", "MMM", "MSFT"]))
    assert str(refused.value) == (
        "'ROC(5)' is scaled by symbol (pooled=False), and there is no scaling of MMM, MSFT, on which the model was "
        "not trained; leave them out, or train with pooled=True"
    )


def test_classes_with_a_dropped_one_are_judged_on_later_bars_too(
    tmp_path: Path, describe: Callable[..., dl.Model], us_stocks: dl.DataSet
) -> None:
    way = dl.Output("ROC(5)", look_ahead=5, classes=[-1, 1], drop="middle", name="way")
    model = describe(tmp_path, outputs=[way])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.train(cut(us_stocks, ["AAPL", "IBM"]), options=OPTIONS)
    found = model.evaluate(us_stocks.subset(["AAPL", "MSFT"]))
    scores, rows = found.scores()[1], judged(found)
    holdout = model.spans["holdout"]
    assert not rows["time"].between(holdout.start, holdout.end).any()
    assert scores.samples == len(rows)
    assert np.isin(rows["actual"], [0, 1]).all()
    assert sum(scores.dropped) > 500
    assert found.by("symbol").frame.loc["out-of-sample"].index.tolist() == ["AAPL", "MSFT"]


@pytest.mark.parametrize("name", ["dates", "symbols"])
def test_inputs_are_looked_at_on_the_samples_that_are_judged(
    trained: dict[str, dl.Model], us_stocks: dl.DataSet, name: str
) -> None:
    model, given = trained[name], us_stocks.subset(["AAPL", "IBM", "MSFT"])
    samples = model.evaluate(given).scores()[1].samples
    assert model.importance(given, repeats=1).samples == samples
    assert model.attributions(given, samples=10**6, steps=2).samples == samples
    assert model.partial_dependence(given, points=2).samples == samples
    cut_in_sample = model.importance(given, span="in-sample", repeats=1).samples
    assert cut_in_sample == model.evaluate(given).scores()[0].samples


def test_what_trained_does_not_validate(trained: dict[str, dl.Model], us_stocks: dl.DataSet) -> None:
    own, model = cut(us_stocks, ["AAPL", "IBM"]), trained["dataset"]
    for validation, message in (
        (
            cut(us_stocks, ["INTC", "AAPL"], "both"),
            "DataSet 'both' validates on the days that trained the weights, but AAPL trained them, too; leave it out",
        ),
        (
            dl.DataSet.from_frames("named", {"X": own["IBM"]}),
            "X has the very bars of IBM, which the model was trained with; leave it out",
        ),
    ):
        with pytest.raises(SamplesError) as refused:
            model.evaluate(own, validation)
        assert str(refused.value) == message


def test_on_its_own_days_what_trained_validates_and_on_others_it_has_no_samples(
    tmp_path: Path, describe: Callable[..., dl.Model], us_stocks: dl.DataSet
) -> None:
    model, own = describe(tmp_path, "later"), cut(us_stocks, ["AAPL", "IBM"])
    recent = dl.DataSet.from_frames("recent", {"AAPL": own["AAPL"].loc["2007":]})
    model.train(own, dl.Split(0.6, 0.2), OPTIONS, validation=recent)
    wanted, found = (judged(model.evaluate(own, each)) for each in (recent, cut(us_stocks, ["AAPL"])))
    assert len(wanted)
    assert found["time"].tolist() == wanted["time"].tolist()
