"""The commands about runs: dlplugin runs ..."""

import json as json_module
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

__all__ = ["runs"]

runs = App(name="runs", help="List the runs of the store beside each other, newest first, or show one.")

Store = Annotated[Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")]
Json = Annotated[bool, Parameter(help="Print as JSON.", negative="")]


@runs.default
def compare(
    *,
    model: Annotated[str | None, Parameter(help="List only the runs of one model.")] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """List the runs of the store beside each other, newest first, or show one.

    Losses compare only runs of the same outputs, data and validation. "predicts" marks the run that its
    model predicts with; `dlplugin use RUN` chooses another. In a pipe nothing is left out.
    """
    from rich.console import Console

    from dlplugin import actions
    from dlplugin.cli.runs_table import PREDICTS, runs_table, runs_text
    from dlplugin.store import store_folder

    table = actions.runs(model, store)
    console = Console()
    if json:
        print(json_module.dumps(actions.plain_rows(table), indent=2, ensure_ascii=False))
    elif not len(table):
        print(f"no runs in {store_folder(store).absolute()}")
    elif console.is_terminal:
        console.print(runs_table(table, console.width))
        if table["predicts"].any():
            console.print(PREDICTS, highlight=False, markup=False)
    else:
        print(runs_text(table))


@runs.command
def show(
    name: Annotated[str, Parameter(help="A run's name, or a model's: its newest run.", metavar="RUN|MODEL")],
    /,
    *,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show everything about one run: how it went, on what, with which options, and what may be wrong."""
    from rich.console import Console

    from dlplugin import actions
    from dlplugin.cli.run_text import run_text

    console = Console()
    run = actions.run_of(name, store)
    if json:
        print(json_module.dumps(actions.run_facts(run, whole=True), indent=2, ensure_ascii=False))
    else:
        print(run_text(run, console.width if console.is_terminal else None))
