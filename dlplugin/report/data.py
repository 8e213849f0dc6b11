"""What a report is made of; plain values, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from dlplugin.evaluation import Evaluation
    from dlplugin.evaluation.account import Backtest

__all__ = ["ReportData", "SpanRecord"]

_HISTORY = ("epoch", "in_sample_loss", "out_of_sample_loss", "learning_rate", "seconds")
_BARS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class SpanRecord:
    """One span of dates as a run used it.

    Attributes:
        name: Which span.
        start: Its first bar.
        end: Its last bar.
        samples: Samples in it, over all symbols, after the purge.
        purged: Samples dropped at its end because their outputs reach across the boundary.
    """

    name: Literal["in-sample", "out-of-sample", "holdout"]
    start: pd.Timestamp
    end: pd.Timestamp
    samples: int
    purged: int


@dataclass(frozen=True)
class ReportData:
    """All that a report shows; nothing else is looked up.

    Attributes:
        model: Name of the model.
        subtitle: One line on what it is, as "MLP 9→32→16→1 · 881 weights".
        verdict: Plain sentences; the first is the headline.
        evaluation: Scores and tables in sample and out of sample.
        history: One row per epoch with the columns epoch, in_sample_loss, out_of_sample_loss (NaN
            without an out-of-sample span), learning_rate, seconds; may be empty.
        best_epoch: The epoch of the save point.
        stop_reason: Why the training ended, as a clause.
        spans: The spans in order of time; in-sample and out-of-sample may have the same dates.
        chart_bars: (T,) bars of the traded symbol over the holdout; may be empty.
        prediction: (T,) the model's prediction known at the close of each of these bars; NaN where
            there is none.
        prediction_label: What is predicted, with its unit: "ROC(5), look ahead 5, %".
        backtest: What trading these bars came to; None when nothing was traded.
        record: Further facts in the order in which they are to be read.
        symbols: Symbols behind the evaluation, named in its captions; empty says "all symbols".
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.

    Raises:
        ValueError: A column is missing, or `prediction` is not on the index of `chart_bars`.
    """

    model: str
    subtitle: str
    verdict: str
    evaluation: "Evaluation"
    history: pd.DataFrame
    best_epoch: int
    stop_reason: str
    spans: tuple[SpanRecord, ...]
    chart_bars: pd.DataFrame
    prediction: "pd.Series[float]"
    prediction_label: str
    backtest: "Backtest | None"
    record: Mapping[str, str] = field(default_factory=dict)
    symbols: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for what, frame, columns in (
            ("history", self.history, _HISTORY),
            ("chart_bars", self.chart_bars, _BARS),
        ):
            missing = [column for column in columns if column not in frame.columns]
            if missing:
                raise ValueError(
                    f"{what} lacks the columns {', '.join(missing)}; it needs {', '.join(columns)}"
                )
        if not self.prediction.index.equals(self.chart_bars.index):
            raise ValueError(
                f"prediction has {len(self.prediction)} values on other dates than "
                f"the {len(self.chart_bars)} bars of chart_bars; reindex it to these, with NaN for none"
            )
