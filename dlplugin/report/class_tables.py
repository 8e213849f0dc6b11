"""The report's tables of outputs in classes, as rows of finished text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlplugin.evaluation import CLASS_RULES
from dlplugin.report.tables import SpanHead, comparison_rows, span_head
from dlplugin.report.words import MISSING, number, percent

if TYPE_CHECKING:
    from dlplugin.evaluation import ClassResult, ClassScores, EvaluatedOutput

__all__ = ["ClassTables", "class_tables"]


@dataclass(frozen=True)
class ClassTables:
    """The tables of one output in classes.

    Attributes:
        name: The output.
        spans: The spans that the tables have columns for.
        labels: The classes.
        classes: Rows of a class, and for each span how often it came, how often it was predicted, its
            precision and its recall.
        scores: Rows of a rule, and for each span its accuracy, Matthews correlation and log loss.
        counts: For each span rows of a class that came and its samples by the class predicted.
        comparisons: As those of `OutputTables`, of accuracies.
    """

    name: str
    spans: Sequence[SpanHead]
    labels: Sequence[str]
    classes: Sequence[Sequence[Any]]
    scores: Sequence[Sequence[Any]]
    counts: Sequence[Sequence[Sequence[str]]]
    comparisons: Sequence[Sequence[Any]]
    in_classes: bool = True


def class_tables(described: "EvaluatedOutput", result: "ClassResult") -> ClassTables:
    """The tables of one output in classes.

    Args:
        described: The output.
        result: What was found for it.
    """
    return ClassTables(
        name=described.name,
        spans=[span_head(scores) for scores in result.spans],
        labels=described.labels,
        classes=[
            [label, *(_class_cells(scores, row) for scores in result.spans)]
            for row, label in enumerate(described.labels)
        ],
        scores=_class_scores(result),
        counts=[
            [
                [label, *(number(held, 0) for held in row)]
                for label, row in zip(described.labels, scores.counts, strict=True)
            ]
            for scores in result.spans
        ],
        comparisons=comparison_rows(result.comparisons),
    )


def _class_cells(scores: "ClassScores", row: int) -> list[str]:
    return [
        number(scores.came[row], 0),
        number(scores.named[row], 0),
        percent(scores.precision[row]),
        percent(scores.recall[row]),
    ]


def _class_scores(result: "ClassResult") -> list[list[Any]]:
    """The model, the rules, and the in-sample shares as probabilities; what one does not give is a dash."""
    there = [rule for rule in CLASS_RULES if rule in result.spans[0].by_rule]
    rows: list[list[Any]] = [[name] for name in ("model", *there, "in-sample shares")]
    for position, scores in enumerate(result.spans):
        rows[0].append([percent(scores.accuracy), number(scores.correlation, 3), number(scores.log_loss, 4)])
        for row, rule in zip(rows[1:-1], there, strict=True):
            hits = scores.by_rule[rule]
            row.append([percent(hits.accuracy), number(hits.correlation, 3), MISSING])
        rows[-1].append([MISSING, MISSING, number(result.rule_log_loss(position), 4)])
    return rows
