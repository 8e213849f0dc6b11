"""What the tests of stopping, killing and going on train: small, and with everything that has a state.

Run as a script it trains the cases of a file: `python -m tests.training.trainings whole|stop|resume FILE`.
"""

import io
import json
import random
import sys
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console

import dlplugin as dl
from dlplugin.store import RunFolder
from dlplugin.training import execute, prepare

QUIET = Console(file=io.StringIO())


def small_dataset() -> dl.DataSet:
    """Two years of two stocks."""
    stocks = dl.DataSet.bundled("us-stocks")
    return dl.DataSet.from_frames("small", {name: stocks[name].iloc[:500] for name in ("AAPL", "IBM")})


def describe(store: Path, name: str) -> dl.Model:
    return dl.Model(
        name,
        inputs=[dl.Input("RSI(14)", depth=2), dl.Input("ROC(5)", depth=2)],
        outputs=[dl.Output("ROC(5)", look_ahead=5)],
        engine=dl.MLP(hidden=[6], dropout=0.2),
        store=store,
    )


def prepared(store: Path, name: str, options: dict[str, Any]) -> RunFolder:
    """A run that has not begun."""
    model = describe(store, name)
    run, _ = prepare(store, model.definition, small_dataset(), dl.Split(), dl.TrainingOptions(**options))
    return run


def stop_at(epoch: int) -> None:
    """Lets whatever run is trained next in this process ask itself to stop when it has done an epoch."""
    append = RunFolder.append_history

    def then_stop(folder: RunFolder, row: Any) -> None:
        append(folder, row)
        if row[0] == epoch:
            RunFolder.append_history = append  # type: ignore[method-assign]
            folder.request_stop()

    RunFolder.append_history = then_stop  # type: ignore[method-assign]


def main(what: str, file: Path) -> None:
    """Trains all cases whole, or stops each at a random epoch, or goes on with each; prints their digests."""
    plan = json.loads(file.read_text())
    store, draw = file.parent / ("whole" if what == "whole" else "parts"), random.Random(plan["seed"])
    names: dict[str, str] = json.loads((file.parent / "runs.json").read_text()) if what == "resume" else {}
    digests = {}
    for name, options in plan["cases"].items():
        stop = draw.randint(1, options["epochs"] - 1)
        if what == "resume":
            run = RunFolder.open(store, names[name])
            assert run.status == "stopped", (name, run.status, run.facts.get("stop_reason"))
            assert 0 < run.read_state().epoch == stop, name  # type: ignore[union-attr]
            run.clear_stop()
        else:
            run = prepared(store, name, options)
            names[name] = run.name
            if what == "stop":
                stop_at(stop)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dl.DLPluginWarning)
            execute(run, QUIET)
        digests[name] = run.digest
    (file.parent / "runs.json").write_text(json.dumps(names))
    print(json.dumps(digests))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
