"""The demo: the whole story of a model on bundled real stocks."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from dlplugin.resources import shipped_folder

if TYPE_CHECKING:
    from dlplugin.evaluation import Evaluation
    from dlplugin.model import Model
    from dlplugin.trading import Backtest

__all__ = ["DemoResult", "demo"]


@dataclass(frozen=True)
class DemoResult:
    """What the demo did.

    Attributes:
        model: The locked model.
        trained: Whether it was trained just now; otherwise it was locked already.
        evaluation: In and out of sample, beside trivial rules.
        backtest: On the holdout.
        report: The page it wrote.
    """

    model: "Model"
    trained: bool
    evaluation: "Evaluation"
    backtest: "Backtest"
    report: Path

    def __str__(self) -> str:
        return f"{self.evaluation}\n\n{self.backtest}\n\nreport: {self.report}"

    def to_dict(self) -> dict[str, Any]:
        """Spans, counts, epochs, losses, metrics and backtest, as JSON holds them; NaN is None."""
        from dlplugin.evaluation.plain import to_plain
        from dlplugin.evaluation.results import SpanScores

        record, history = self.model.record, self.model.history.to_dict("records")
        best = history[self.model.best_epoch - 1]
        plain = {
            "model": self.model.reference,
            "trained_now": self.trained,
            "spans": {
                span.name: {
                    "start": span.start.isoformat(),
                    "end": span.end.isoformat(),
                    **record["counts"][span.name],
                }
                for span in self.model.spans.spans
            },
            "epochs": record["epochs"],
            "best_epoch": self.model.best_epoch,
            "stop_reason": record["stop_reason"],
            "losses": {
                "in_sample": float(best["in_sample_loss"]),
                "out_of_sample": float(best["out_of_sample_loss"]),
            },
            "verdict": self.evaluation.verdict,
            "metrics": {
                scores.span: {rule: vars(values) for rule, values in scores.by_rule.items()}
                for scores in self.evaluation.scores()
                if isinstance(scores, SpanScores)
            },
            "backtest": {
                "strategy": self.backtest.strategy,
                "symbol": self.backtest.symbol,
                "start": self.backtest.start.isoformat(),
                "end": self.backtest.end.isoformat(),
                "commission": self.backtest.commission,
                **self.backtest.figures,
            },
            "report": str(self.report),
        }
        return cast(dict[str, Any], to_plain(plain))


def demo(out: Path, symbol: str = "AAPL") -> DemoResult:
    """Defines, trains, judges, locks and trades a model on bundled real stocks, and writes a report.

    Args:
        out: Folder for report.html and the demo's store.
        symbol: The stock to trade on the holdout.

    Raises:
        BarsError: The bundled set has no such symbol.
    """
    from dlplugin.bars import DataSet

    script = _script("buy_predicted_gain")
    dataset = DataSet.bundled("us-stocks")
    bars = dataset[symbol]
    model, trained = script.trained(dataset, str(out / "models"))
    backtest = script.trade(model, bars, symbol)
    report = model.report(out / "report.html", dataset, backtest)
    return DemoResult(model, trained, model.evaluation, backtest, report)


def _script(name: str) -> ModuleType:
    """A strategy script that ships with dlplugin."""
    path = shipped_folder("strategies") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
