"""The report from top to bottom, as blocks: what it adds, the tables, the training, the holdout, the record."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dlplugin.evaluation import ClassResult
from dlplugin.evaluation.audit.result import UNSEEN
from dlplugin.report.account import account_figure
from dlplugin.report.blocks import Block, Cell, Chart, Column, Heading, Section, Table, Words, row
from dlplugin.report.candles import candles_figure
from dlplugin.report.charts import FULL, HALF
from dlplugin.report.class_tables import class_tables, confusion_tables, reliability_charts
from dlplugin.report.data import Importance, ReportData
from dlplugin.report.dependence import dependence_figure
from dlplugin.report.dots import Line, Mark, dot_plot
from dlplugin.report.groups import group_charts
from dlplugin.report.headline import traded_where
from dlplugin.report.overview import symbols_of
from dlplugin.report.pictures import calibration_chart, forest_charts, order_chart
from dlplugin.report.record import openings_block, record_blocks
from dlplugin.report.slots import bars_per_slot
from dlplugin.report.tables import output_tables
from dlplugin.report.trades import trades_table
from dlplugin.report.training import loss_figures
from dlplugin.report.words import count, number, plain_index, plus_minus, sentences, span

if TYPE_CHECKING:
    from dlplugin.evaluation import Evaluation
    from dlplugin.evaluation.account import Backtest
    from dlplugin.evaluation.inputs import PartialDependence

__all__ = ["sections"]

MOST_INPUTS = 40


def sections(data: ReportData) -> list[Section]:
    """All sections, in the order in which they are read."""
    found = [
        Section("adds", "What it adds", _adds(data)),
        Section("tables", "Tables", _tables(data)),
        Section("training", "Training", _training(data)),
        Section("holdout", "Holdout", _holdout(data)),
        Section("audit", "Audit", _audit(data)),
        Section("record", "Record", record_blocks(data)),
    ]
    return [section for section in found if section.blocks]


def _headings(data: ReportData, output: int) -> list[Block]:
    """The output's name, where there are several."""
    outputs = data.evaluation.outputs
    if len(outputs) < 2:
        return []
    ahead = count(outputs[output].look_ahead, "bar")
    return [Heading(outputs[output].name, f"{ahead} ahead")]


def _adds(data: ReportData) -> list[Block]:
    evaluation = data.evaluation
    blocks: list[Block] = []
    # the verdict on the scores stands beside them, unless it has been read at the top already
    if evaluation.verdict not in data.verdict:
        blocks.append(Words(evaluation.verdict))
    for output, result in enumerate(evaluation.results):
        blocks += _headings(data, output)
        blocks += _pictures(evaluation, output, str(output))
        blocks += _importance(data.importance, evaluation.outputs[output].name, output, result.spans[-1].span)
        if not output:
            blocks += [_dependence(each, i) for i, each in enumerate(data.dependence)]
    return [*blocks, Words(data.left_out, "empty")] if data.left_out else blocks


def _pictures(evaluation: "Evaluation", output: int, name: str) -> list[Block]:
    """The charts of one output's scores, whose names end in `name`."""
    result = evaluation.results[output]
    blocks: list[Block] = [*forest_charts(result, name)]
    if isinstance(result, ClassResult):
        blocks += confusion_tables(evaluation.outputs[output], result)
        blocks += reliability_charts(evaluation.outputs[output], result, f"reliability-{name}")
    else:
        blocks.append(calibration_chart(evaluation, output, f"calibration-{name}"))
        order = order_chart(result, f"order-{name}")
        blocks += [order] if order is not None else []
    return [*blocks, *group_charts(result, f"group-{name}")]


def _importance(importance: Importance | None, name: str, output: int, span: str) -> list[Chart]:
    if importance is None:
        return []
    frame = importance.frame[importance.frame["output"] == name].sort_values("rise", ascending=False)
    if frame.empty:
        return []
    note = f"the first {MOST_INPUTS} of {len(frame)} inputs" if len(frame) > MOST_INPUTS else ""
    lines, rows = [], []
    for _, each in frame.head(MOST_INPUTS).iterrows():
        rise, error = float(each["rise"]), float(each["error"])
        faint = not rise > error
        words = "told from nothing" if not faint else "inside the error"
        mark = Mark(rise, error, span, faint, f"{each['input']}: {plus_minus(rise, error)}, {words}")
        lines.append(Line(str(each["input"]), [mark]))
        rows.append(row(str(each["input"]), plus_minus(rise, error), words))
    title = "What the inputs matter"
    held = sentences(importance.note, note)
    meaning = "how much the loss rises when an input's values are shuffled among the samples"
    reading = sentences(
        f"{meaning}: the longer, the more the model needs it; the hollow is inside its error", held
    )
    columns = [Column("input", "name"), Column("rise of the loss"), Column("which is", "name")]
    wide = len(lines) > 12
    figure = dot_plot(
        lines,
        title,
        "rise of the loss without the input",
        FULL if wide else HALF,
        2 if wide else 1,
        bars=True,
    )
    table = Table(f"importance-{output}", title, columns, rows, sentences(meaning, held))
    return [Chart(f"importance-{output}", title, figure, reading, wide=wide, table=table)]


def _dependence(found: "PartialDependence", i: int) -> Chart:
    title = f"Prediction by {found.input}"
    reading = sentences(
        "the mean prediction when this input has a value and all others are as they came; the band holds eight of ten",
        found.note,
    )
    frame: pd.DataFrame = found.frame
    rows = [row(str(each["label"]), number(float(each["mean"]), 4)) for _, each in frame.iterrows()]
    columns = [Column(str(found.input), "name"), Column("mean prediction")]
    name = f"dependence-{i}"
    return Chart(
        name,
        title,
        dependence_figure(found),
        reading,
        wide=False,
        table=Table(name, title, columns, rows, sentences(found.note)),
    )


def _tables(data: ReportData) -> list[Block]:
    blocks: list[Block] = []
    for output in range(len(data.evaluation.outputs)):
        blocks += [*_headings(data, output), *_output_tables(data.evaluation, output, symbols_of(data))]
    return blocks


def _output_tables(evaluation: "Evaluation", output: int, symbols: str) -> list[Table]:
    described, result = evaluation.outputs[output], evaluation.results[output]
    if isinstance(result, ClassResult):
        return class_tables(described, result, symbols)
    return output_tables(described, result, symbols)


def _training(data: ReportData) -> list[Block]:
    inside, outside = loss_figures(data.history, data.best_epoch)
    figures = [
        Chart("in-sample-loss", "In-sample loss", inside, "", "in-sample", wide=False),
        Chart("out-of-sample-loss", "Out-of-sample loss", outside, "", "out-of-sample", wide=False),
    ]
    return [*figures, Words(_training_words(data), "caption")]


def _training_words(data: ReportData) -> str:
    spans = [
        f"{each.name} {span(each.start, each.end)}, {count(each.samples, 'sample')}"
        for each in data.spans
        if each.name != "holdout"
    ]
    ran = ""
    if not data.history.empty:
        seconds = number(float(data.history["seconds"].sum()), 1)
        best = number(data.best_epoch, 0)
        ran = f"{count(len(data.history), 'epoch')} in {seconds} s; the save point is epoch {best}"
    return sentences(
        "where the out-of-sample curve rises while the in-sample one falls, the model learns by heart",
        ran,
        data.stop_reason,
        "; ".join([*spans, symbols_of(data)]),
        _loss_words(data),
        "the in-sample curve is as met while the weights moved, dropout included; each chart has its own scale",
    )


_LOSSES = {
    "squared": "the mean squared error",
    "absolute": "the mean absolute error",
    "huber": "Huber's, squared for small errors and straight for large ones",
    "log-cosh": "the mean of log cosh of the error",
    "quantile": "the pinball loss of a quantile",
}


def _loss_words(data: ReportData) -> str:
    """What the curves of the training show: the loss that was trained on."""
    options, kinds = data.facts.get("options", {}), {}
    for each in data.evaluation.outputs:
        if each.labels:
            kinds["classes"] = str(options.get("class_loss", "cross-entropy"))
        elif each.quantiles:
            kinds["quantiles"] = "the mean pinball loss of the quantiles"
        else:
            kinds["numbers"] = _LOSSES[options.get("loss", "squared")]
    said = (
        next(iter(kinds.values()))
        if len(kinds) == 1
        else " and ".join(f"{v} of {k}" for k, v in kinds.items())
    )
    units = "" if set(kinds) == {"classes"} else ", in units of an output's scale in training"
    return f"loss is {said}{units}"


def _holdout(data: ReportData) -> list[Block]:
    if data.holdout is None:
        return _account_blocks(data)
    scores: list[Block] = [Words(data.holdout.verdict)]
    for output in range(len(data.holdout.outputs)):
        scores += [*_headings(data, output), *_pictures(data.holdout, output, f"holdout-{output}")]
        scores += _output_tables(data.holdout, output, symbols_of(data))
    return [*scores, *(_account_blocks(data) if data.backtest is not None else [])]


def _account_blocks(data: ReportData) -> list[Block]:
    if data.backtest is None:
        return [openings_block(data, "openings-holdout")]
    backtest, caption = data.backtest, _backtest_words(data.backtest)
    where = traded_where(data, backtest)
    blocks: list[Block] = [] if where == "Traded on the holdout" else [Words(f"{where}.")]
    same = False
    if data.traded is not None:
        bars = data.traded.bars
        same = plain_index(backtest.equity.index).equals(plain_index(bars.index))
        figure = candles_figure(bars, data.traded.prediction, data.traded.label, backtest)
        blocks.append(
            Chart(
                "candles",
                f"{backtest.symbol}: bars, trades and predictions",
                figure,
                _candles_words(bars, backtest),
            )
        )
    figure = account_figure(backtest, "bars" if same else "account")
    reading = f"Above the grey line it earned more than buying and holding would have. {caption}"
    blocks.append(
        Chart(
            "account",
            f"{backtest.strategy}: the account against buy and hold",
            figure,
            reading,
            table=_account_table(backtest, caption),
        )
    )
    return [*blocks, trades_table(backtest, caption)]


def _audit(data: ReportData) -> list[Block]:
    if data.audit is None:
        return []
    words = {"passed": "gain-words", "leak": "loss-words", "alarm": "loss-words", "not done": "faint"}
    rows = [
        row(check.name, Cell(check.verdict, class_=words[check.verdict]), check.evidence, check.threshold)
        for check in data.audit.checks
    ]
    heads = ("check", "verdict", "what was seen", "beyond what it does not pass")
    caption = sentences("a leak is proven, an alarm is suspicious", UNSEEN)
    columns = [Column(title, "name") for title in heads]
    return [Table("audit", f"The audit: {data.audit.verdict}", columns, rows, caption)]


def _account_table(backtest: "Backtest", caption: str) -> Table:
    names = [name for name, value in backtest.figures.items() if np.isfinite(value)]
    rows = [row(name.replace("_", " "), number(backtest.figures[name], 2)) for name in names]
    return Table("account", "The account", [Column("figure", "name"), Column("value")], rows, caption)


def _candles_words(bars: pd.DataFrame, backtest: "Backtest") -> str:
    if bars.empty:
        return ""
    shared = bars_per_slot(len(bars))
    return sentences(
        "▲ bought, ▼ sold; shaded while in the market",
        f"{backtest.symbol}, {span(bars.index[0], bars.index[-1])}, {count(len(bars), 'bar')}",
        "the prediction is known at the close of its bar; orders are filled at the next open",
        f"each candle holds {shared} bars, and shows the prediction of the last" if shared > 1 else "",
    )


def _backtest_words(backtest: "Backtest") -> str:
    share = f"{backtest.commission * 100:.4g}"
    return sentences(
        f"{backtest.symbol}, {span(backtest.start, backtest.end)}, {backtest.strategy}",
        f"the account starts with {number(backtest.cash, 2)}",
        f"commission is {share} % of the traded value on each side, for buy-and-hold too",
        "the Sharpe ratio is of bar returns, without a risk-free rate",
    )
