"""Each kind of validation from training to the report: the right samples are scored, and the page says which."""

from collections.abc import Callable
from pathlib import Path

import pytest

import dlplugin as dl
from dlplugin.errors import DLPluginWarning, SamplesError
from dlplugin.model.reporting import report_data
from dlplugin.report import render_report
from dlplugin.samples import build_samples
from dlplugin.trading import Backtest

OPTIONS = dl.TrainingOptions(epochs=2)
RANDOM = (
    "The out-of-sample samples are a random 25 % and share bars with in-sample ones (no purge parts them)."
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:the out-of-sample samples are:dlplugin.DLPluginWarning"),
    pytest.mark.usefixtures("without_boosting"),
]

KINDS = {
    "symbols": dl.Split(held_out=["IBM"]),
    "random": dl.Split(random=0.25),
    "dataset": dl.Split(0.6, 0.0),
}


@pytest.fixture(scope="module")
def other(us_stocks: dl.DataSet) -> dl.DataSet:
    return us_stocks.subset(["INTC", "MSFT"])


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
    describe: Callable[..., dl.Model],
    two_stocks: dl.DataSet,
    other: dl.DataSet,
) -> dict[str, dl.Model]:
    store = tmp_path_factory.mktemp("validation") / "models"
    models = {}
    for name, split in KINDS.items():
        models[name] = describe(store, name)
        models[name].train(two_stocks, split, OPTIONS, validation=other if name == "dataset" else None)
    return models


@pytest.mark.usefixtures("without_boosting")
@pytest.mark.parametrize("name", KINDS)
def test_evaluating_again_scores_the_samples_that_the_training_validated_on(
    trained: dict[str, dl.Model], two_stocks: dl.DataSet, other: dl.DataSet, name: str
) -> None:
    model, validation = trained[name], other if name == "dataset" else None
    again = model.evaluate(two_stocks, validation)
    assert again.to_json() == model.evaluation.to_json()
    samples = build_samples(model.definition, two_stocks, model.spans, validation=validation)
    for scores in again.scores():
        rows = samples.rows[scores.span]
        assert scores.samples == len(rows) == model.record["counts"][scores.span]["samples"]
        assert (scores.start, scores.end) == (samples.times[rows].min(), samples.times[rows].max())
    assert samples.fingerprint == model.record["samples_fingerprint"]


def test_the_verdict_says_what_the_out_of_sample_samples_are(
    trained: dict[str, dl.Model], other: dl.DataSet
) -> None:
    assert RANDOM in trained["random"].evaluation.verdict
    assert " The out-of-sample samples are those of held-out symbols: IBM. " in (
        trained["symbols"].evaluation.verdict
    )
    assert (
        f" The out-of-sample samples are those of DataSet {other.name!r}: INTC, MSFT, on the days that trained the "
        "weights. " in trained["dataset"].evaluation.verdict
    )


def test_a_model_validated_on_another_dataset_is_evaluated_with_it_only(
    trained: dict[str, dl.Model], two_stocks: dl.DataSet, other: dl.DataSet
) -> None:
    with pytest.raises(SamplesError, match=r"those of DataSet .* \(INTC, MSFT\); give it as validation="):
        trained["dataset"].evaluate(two_stocks)
    with pytest.raises(SamplesError, match="samples were chosen by held-out symbols: IBM; leave it out"):
        trained["symbols"].evaluate(two_stocks, other)


def test_held_out_symbols_without_samples_are_refused_in_words_of_their_own(
    us_stocks: dl.DataSet, describe: Callable[..., dl.Model], tmp_path: Path
) -> None:
    dataset = dl.DataSet.from_frames("gone", {"AAPL": us_stocks["AAPL"], "IBM": us_stocks["IBM"].iloc[:500]})
    with pytest.raises(SamplesError) as error:
        describe(tmp_path).train(dataset, dl.Split(held_out=["IBM"]), OPTIONS)
    assert str(error.value) == (
        "the out-of-sample samples are those of held-out symbols: IBM, but they have none from 2009-07-01 … "
        "2011-04-28; give them more bars, or choose others"
    )


def test_training_warns_of_random_samples_and_the_report_names_them(
    two_stocks: dl.DataSet, describe: Callable[..., dl.Model], tmp_path: Path, backtest_of
) -> None:
    model = describe(tmp_path)
    with pytest.warns(DLPluginWarning, match="are a random 25 % and share bars with in-sample ones"):
        model.train(two_stocks, KINDS["random"], OPTIONS)
    html = render_report(report_data(model, two_stocks, backtest_of(model, two_stocks)))
    assert "AAPL, IBM; the out-of-sample samples are a random 25 % and share bars" in html
    assert "<dt>validation</dt><dd>random: 25 %, seed 0</dd>" in html
    assert RANDOM in html
    for name in ("in-sample", "out-of-sample"):
        assert f"{name} · {model.record['counts'][name]['samples']:,} samples" in html


@pytest.fixture
def backtest_of() -> Callable[[dl.Model, dl.DataSet], Backtest]:
    def traded(model: dl.Model, dataset: dl.DataSet) -> Backtest:
        import backtrader as bt

        class Hold(bt.Strategy):  # type: ignore[misc]
            def next(self) -> None:
                self.order_target_percent(target=0.95)

        return dl.backtest(Hold, dataset["AAPL"], "AAPL", start=model.spans["holdout"].start)

    return traded


def test_a_run_trains_with_the_weights_of_its_options_and_records_the_effective_samples(
    two_stocks: dl.DataSet, describe: Callable[..., dl.Model], tmp_path: Path
) -> None:
    model = describe(tmp_path)
    options = dl.TrainingOptions(epochs=1, half_life=250.0, uniqueness=True)
    run = model.train(two_stocks, options=options)
    samples = build_samples(model.definition, two_stocks, run.spans, half_life=250.0, uniqueness=True)
    assert run.facts["samples_fingerprint"] == samples.fingerprint
    assert run.facts["effective_samples"] == samples.effective
    assert samples.effective < run.counts["in-sample"].samples / 5


def test_a_run_records_the_data_it_was_validated_on(trained: dict[str, dl.Model], other: dl.DataSet) -> None:
    recorded = trained["dataset"].record["validation"]
    assert {name: each["fingerprint"] for name, each in recorded["symbols"].items()} == dict(
        other.fingerprint
    )
    assert (recorded["name"], recorded["interval"]) == (other.name, "1d")
    assert "validation" not in trained["symbols"].record
