"""How good a model is: metrics, tables of predicted ranges, trivial rules, and a verdict in words."""

from dlplugin.evaluation.account import Backtest, Execution, round_trips, settle
from dlplugin.evaluation.class_errors import ClassErrors, ReliabilityRow
from dlplugin.evaluation.class_table import ClassTable
from dlplugin.evaluation.classes import ClassResult, ClassScores
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.cross_section import CrossSection
from dlplugin.evaluation.evaluation import Evaluation
from dlplugin.evaluation.group_table import GroupTable
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import EvaluatedOutput, OutputResult, SpanScores
from dlplugin.evaluation.rules import CLASS_RULES, RULES
from dlplugin.evaluation.scoring import OutputLike, evaluate
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.trained import evaluate_samples
from dlplugin.evaluation.values import OutputSamples, SpanValues

__all__ = [
    "CLASS_RULES",
    "RULES",
    "Backtest",
    "ClassErrors",
    "ClassResult",
    "ClassScores",
    "ClassTable",
    "Comparison",
    "CrossSection",
    "EvaluatedOutput",
    "Evaluation",
    "Execution",
    "GroupTable",
    "OutputLike",
    "OutputResult",
    "OutputSamples",
    "RangeTable",
    "ReliabilityRow",
    "Scores",
    "SpanScores",
    "SpanValues",
    "evaluate",
    "evaluate_samples",
    "round_trips",
    "settle",
]
