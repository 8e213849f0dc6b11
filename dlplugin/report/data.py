"""What a report is made of; plain values, checked once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from dlplugin.evaluation import Evaluation
    from dlplugin.evaluation.account import Backtest
    from dlplugin.evaluation.audit import Audit
    from dlplugin.evaluation.inputs import PartialDependence

__all__ = ["Importance", "ReportData", "SpanRecord", "Traded"]

_HISTORY = ("epoch", "in_sample_loss", "out_of_sample_loss", "learning_rate", "seconds")
_BARS = ("open", "high", "low", "close", "volume")
_IMPORTANCE = ("output", "input", "rise", "error")


@dataclass(frozen=True)
class SpanRecord:
    """One span of dates as a run used it.

    Attributes:
        name: "in-sample", "out-of-sample" or "holdout".
        start: Its first bar.
        end: Its last bar.
        samples: Samples in it, over all symbols, after the purge.
        purged: Samples left out at its end because their outputs reach across the boundary.
        embargoed: Samples left out at its beginning by an embargo.
        dropped: Samples left out because all outputs are in a class that is dropped.
    """

    name: str
    start: pd.Timestamp
    end: pd.Timestamp
    samples: int
    purged: int
    embargoed: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Importance:
    """What the inputs matter, as a table and a sentence on how it was found.

    Attributes:
        frame: A row for each output and input: output, input, rise (of the loss when the input is permuted),
            error (half its 95 % interval).
        note: What it was found on.
    """

    frame: pd.DataFrame
    note: str = ""

    def __post_init__(self) -> None:
        _refuse_missing("importance", self.frame, _IMPORTANCE)


@dataclass(frozen=True)
class Traded:
    """The traded symbol over the holdout.

    Attributes:
        bars: (T,) bars; may be empty.
        prediction: (T,) the model's prediction known at the close of each of these bars; NaN where there
            is none.
        label: What is predicted, with its unit: "ROC(5), look ahead 5, %".

    Raises:
        ValueError: A column is missing, or `prediction` is not on the index of `bars`.
    """

    bars: pd.DataFrame
    prediction: "pd.Series[float]"
    label: str

    def __post_init__(self) -> None:
        _refuse_missing("bars", self.bars, _BARS)
        if not self.prediction.index.equals(self.bars.index):
            raise ValueError(
                f"prediction has {len(self.prediction)} values on other dates than "
                f"the {len(self.bars)} bars; reindex it to these, with NaN for none"
            )


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
        symbols: Symbols behind the evaluation, named in its captions; empty says "all symbols".
        note: What to know of the out-of-sample samples when they are not by dates, as a clause.
        effective_samples: How many independent samples the in-sample ones are worth; NaN when not known.
        traded: The bars of the holdout that were traded; None when there are none to be shown.
        backtest: What trading them came to; None when nothing was traded.
        holdout: The scores of the holdout, as `model.open_holdout` gave them; None when they are not to be shown.
        audit: What the audit found; None when there was none.
        importance: What the inputs matter; None when it was not looked at.
        dependence: The partial dependence of the first output on the inputs that matter most to it.
        openings: A row for each opening of the holdout: time, model, purpose, reason; None when not known.
        trials: A row for each run on these days: time, model, run; None when not known.
        left_out: Sentences on what is not in this report, and how to get it.
        record: Further facts in the order in which they are to be read.
        facts: The same, and all else that is recorded, as JSON holds it.

    Raises:
        ValueError: A column is missing, or `holdout` is not of a holdout of these outputs.
    """

    model: str
    subtitle: str
    verdict: str
    evaluation: "Evaluation"
    history: pd.DataFrame
    best_epoch: int
    stop_reason: str
    spans: tuple[SpanRecord, ...]
    symbols: tuple[str, ...] = ()
    note: str = ""
    effective_samples: float = math.nan
    traded: Traded | None = None
    backtest: "Backtest | None" = None
    holdout: "Evaluation | None" = None
    audit: "Audit | None" = None
    importance: Importance | None = None
    dependence: "Sequence[PartialDependence]" = ()
    openings: pd.DataFrame | None = None
    trials: pd.DataFrame | None = None
    left_out: str = ""
    record: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _refuse_missing("history", self.history, _HISTORY)
        if self.holdout is not None:
            span, outputs = (
                self.holdout.results[0].spans[-1].span,
                [each.name for each in self.holdout.outputs],
            )
            if span != "holdout" or outputs != [each.name for each in self.evaluation.outputs]:
                raise ValueError(
                    f"holdout is an evaluation of {', '.join(outputs)}, {span}; give what model.open_holdout gave"
                )


def _refuse_missing(what: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{what} lacks the columns {', '.join(missing)}; it needs {', '.join(columns)}")
