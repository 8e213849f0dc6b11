"""How good a model is: metrics, tables of predicted ranges, trivial rules, and a verdict in words."""

from dlplugin.evaluation.baselines import RULES
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.evaluation import Evaluation, OutputLike, evaluate
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.results import EvaluatedOutput, SpanScores
from dlplugin.evaluation.table import RangeTable
from dlplugin.evaluation.trained import evaluate_samples
from dlplugin.evaluation.values import SpanValues

__all__ = [
    "RULES",
    "Comparison",
    "EvaluatedOutput",
    "Evaluation",
    "OutputLike",
    "RangeTable",
    "Scores",
    "SpanScores",
    "SpanValues",
    "evaluate",
    "evaluate_samples",
]
