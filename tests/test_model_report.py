"""`model.report` and `dlplugin report`: a page, Markdown or JSON of a trained model."""

import json
from pathlib import Path

import backtrader as bt
import pytest

import dlplugin as dl
from dlplugin.cli import run
from dlplugin.errors import DefinitionError, PredictionError
from dlplugin.store import store_folder


class HoldsOnce(bt.Strategy):
    def next(self) -> None:
        if not self.position:
            self.buy()


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory, describe, two_stocks: dl.DataSet) -> dl.Model:
    """Trained on frames that nobody can read again."""
    frames = {symbol: two_stocks[symbol] for symbol in two_stocks.symbols}
    model = describe(tmp_path_factory.mktemp("memory") / "models", "memory")
    model.train(
        dl.DataSet.from_frames("mine", frames), options=dl.TrainingOptions(epochs=2, learning_rate=0.01)
    )
    return model


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_report_reads_the_data_of_its_training_again(
    locked: dl.Model, two_stocks: dl.DataSet, tmp_path
) -> None:
    again, given = (
        locked.report(tmp_path / f"{name}.json", data) for name, data in (("a", None), ("b", two_stocks))
    )

    assert again == tmp_path / "a.json"
    assert read(again) == read(given)
    found = read(again)
    assert found["left_out"] == ""
    assert found["evaluation"] == json.loads(locked.evaluate(two_stocks).to_json())
    assert {row["input"] for row in found["importance"]} == {item.name for item in locked.definition.inputs}
    assert len(found["dependence"]) == 3
    assert found["spans"][0]["purged"] == locked.record["counts"]["in-sample"]["purged"]
    assert found["openings"] == []
    assert [trial["model"] for trial in found["trials"]] == ["locked"]
    assert found["record"]["versions"] == locked.record["versions"]


def test_without_its_data_a_report_says_what_is_left_out(in_memory: dl.Model, tmp_path) -> None:
    found = read(in_memory.report(tmp_path / "report.json"))

    assert found["left_out"] == (
        "Left out is what is made of the data anew: what the inputs matter, and the bars of the holdout. Model "
        "'memory' was trained on 'mine', frames in memory; give dataset=."
    )
    assert found["importance"] is None
    assert found["evaluation"] == json.loads(in_memory.evaluation.to_json())
    page = in_memory.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "frames in memory; give dataset=." in page
    assert "What the inputs matter" not in page
    assert "Whether a prediction of one means one" in page


def test_a_backtest_is_shown_with_its_trades(locked: dl.Model, two_stocks: dl.DataSet, tmp_path) -> None:
    backtest = dl.backtest(HoldsOnce, two_stocks["IBM"], "IBM", start="2012-01-03")

    page = locked.report(tmp_path / "report.html", two_stocks, backtest).read_text(encoding="utf-8")

    assert "IBM: bars, trades and predictions" in page
    assert "HoldsOnce: the account against buy and hold" in page
    assert "1 trade: 1 still open" in page


def test_a_backtest_of_another_symbol_has_no_bars_but_its_account(
    locked: dl.Model, us_stocks: dl.DataSet, tmp_path
) -> None:
    backtest = dl.backtest(HoldsOnce, us_stocks["AMD"], "AMD", start="2012-01-03")

    page = locked.report(tmp_path / "report.html", backtest=backtest).read_text(encoding="utf-8")

    assert "AMD: bars, trades and predictions" not in page
    assert "HoldsOnce: the account against buy and hold" in page


def test_openings_of_the_holdout_are_counted_and_listed(
    in_memory: dl.Model, two_stocks: dl.DataSet, tmp_path
) -> None:
    before = in_memory.report(tmp_path / "report.md", two_stocks).read_text(encoding="utf-8")
    in_memory.open_holdout("to see what becomes of it", two_stocks)
    after = in_memory.report(tmp_path / "report.md", two_stocks).read_text(encoding="utf-8")

    assert "**holdout sealed**" in before
    assert "**holdout opened 1 time**" in after
    assert "to see what becomes of it" in after


def test_scores_of_the_holdout_and_an_audit_are_shown_where_they_are_given(
    in_memory: dl.Model, two_stocks: dl.DataSet, tmp_path
) -> None:
    held = in_memory.open_holdout("to show it", two_stocks)
    options = dl.AuditOptions(symbols=1, cuts=1, seconds=1.0, training_samples=200, epochs=1)
    audit = in_memory.audit(two_stocks, options=options)
    opened = len(in_memory.openings)

    found = read(in_memory.report(tmp_path / "report.json", two_stocks, audit=audit, holdout=held))
    page = in_memory.report(tmp_path / "report.html", two_stocks, audit=audit, holdout=held)

    assert found["holdout"] == json.loads(held.to_json())
    assert found["audit"] == audit.to_dict()
    assert len(in_memory.openings) == opened, "a report opens nothing"
    text = page.read_text(encoding="utf-8")
    assert "<h1><span>" in text
    assert "on the holdout" in text.partition("<h1>")[2].partition("</h1>")[0]
    assert text.count('id="audit"') == 1
    for check in audit.checks:
        assert f'scope="row">{check.name}</th>' in text
    with pytest.raises(
        DefinitionError, match=r"^holdout is an evaluation of the out-of-sample days; give what"
    ):
        in_memory.report(tmp_path / "other.html", two_stocks, holdout=in_memory.evaluation)


def test_the_command_audits_when_asked(locked: dl.Model, tmp_path, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(dl.Model, "report", lambda self, out, data, **more: asked.append(more) or out)
    for flags in ([], ["--audit"]):
        assert run(["report", "locked", "--store", str(locked.store), *flags]) == 0
    assert [each["audit"] for each in asked] == [False, True]


def test_an_audit_without_the_data_says_how_they_are_given(in_memory: dl.Model, tmp_path, capsys) -> None:
    assert run(["report", "memory", "--store", str(in_memory.store), "--audit"]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: model 'memory' was trained on 'mine', frames in memory; name them with --data\n"
    )


def test_a_model_validated_on_other_data_is_reported_on_both(
    describe, tmp_path, us_stocks: dl.DataSet
) -> None:
    model = describe(tmp_path / "models", "other")
    parts = us_stocks.subset(["AAPL"]), us_stocks.subset(["IBM"])
    model.train(parts[0], options=dl.TrainingOptions(epochs=1), validation=parts[1])

    found = read(model.report(tmp_path / "given.json", parts[0]))

    assert found == read(model.report(tmp_path / "again.json"))
    assert "IBM" in found["evaluation"]["note"]


def test_a_wrong_suffix_and_an_untrained_model_are_refused(
    locked: dl.Model, model: dl.Model, tmp_path
) -> None:
    with pytest.raises(DefinitionError, match=r"^the report is to be 'report.txt'; a page ends in .html"):
        locked.report(tmp_path / "report.txt")
    with pytest.raises(PredictionError):
        model.report(tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir() if path.name != "models"] == []


def test_a_wrong_suffix_is_refused_before_any_work(locked: dl.Model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(dl.Model, "evaluate", lambda *_: pytest.fail("evaluated for nothing"))
    with pytest.raises(DefinitionError):
        locked.report(tmp_path / "report.txt")


def test_the_command_writes_a_report(locked: dl.Model, tmp_path, capsys) -> None:
    out = tmp_path / "page" / "us.md"
    assert run(["report", "locked", "--out", str(out), "--store", str(store_folder(locked.store))]) == 0
    assert capsys.readouterr().out == f"report: {out}\n"
    assert out.read_text(encoding="utf-8").startswith("# ")


def test_the_command_says_what_is_wrong_in_one_line(locked: dl.Model, tmp_path, capsys) -> None:
    store = ["--store", str(locked.store)]
    assert run(["report", "lokced", *store]) == 2
    assert capsys.readouterr().err == (
        f"dlplugin: no model 'lokced' in the store {locked.store}; did you mean 'locked'?\n"
    )
    assert run(["report", "locked", "--out", str(tmp_path / "x.pdf"), *store]) == 2
    assert capsys.readouterr().err == (
        "dlplugin: the report is to be 'x.pdf'; a page ends in .html, Markdown in .md, data in .json\n"
    )
