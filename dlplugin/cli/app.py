"""Commands, their help, and what errors and warnings become: one line, and an exit code for an error.

Exit codes: 0 fine, 1 a check that did not pass, 2 wrong use or an error that says what to do, 130 stopped with Ctrl-C.
"""

import json as json_module
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from dlplugin import __version__
from dlplugin.cli.audit import audit
from dlplugin.cli.cache import cache
from dlplugin.cli.data import data
from dlplugin.cli.engines import engines
from dlplugin.cli.runs import runs
from dlplugin.errors import DLPluginError, DLPluginWarning

__all__ = ["app", "run"]

app = App(
    name="dlplugin",
    help="Deep Learning models for backtrader: indicators in, indicators out, trained honestly, locked, traded.",
    version=__version__,
    suppress_keyboard_interrupt=False,  # run() says what became of it
)
app.command(data)
app.command(cache)
app.command(runs)
for _name, _help in {  # imported when they are used: their flags are made from the options' fields
    "train": "Train a model that a file describes, or a stored one anew.",
    "resume": "Go on with a run where it stopped, days later if need be.",
    "join": "Train a run together with the machine that has begun it.",
    "stop": "Stop a run, wherever it trains; resume goes on with it.",
    "use": "Make a run what its model predicts with, instead of another run.",
}.items():
    app.command(f"dlplugin.cli.train:{_name}", name=_name, help=_help)
app.command(audit)
app.command(engines)


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ∞ shows ? instead of ending the command
    try:
        with _plain_warnings():
            code = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except UnusedCliTokensError as error:
        command = " ".join(["dlplugin", *(error.command_chain or ())])
        print(f"dlplugin: {_too_many(command, error.unused_tokens or ())}", file=sys.stderr)
        return 2
    except (CycloptsError, DLPluginError) as error:
        print(f"dlplugin: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dlplugin: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"dlplugin: {error}", file=sys.stderr)
        return 2
    return code if isinstance(code, int) else 0


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Prints our own warnings as a line each, without the place in the code."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def told(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, DLPluginWarning):
                print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                show(message, category, *where, **more)

        warnings.showwarning = told
        yield


def _too_many(command: str, words: Sequence[str]) -> str:
    """What to say of words that a command has no use for."""
    if command == "dlplugin models":
        return (
            f"{command} lists all models and takes no {' '.join(words)!r}; a model's newest run is shown by: "
            f"dlplugin runs show {words[-1] if words[1:] else 'NAME'}"
        )
    return f"{command} takes no {' '.join(words)!r}; see: {command} --help"


@app.command
def demo(
    *,
    out: Annotated[Path, Parameter(help="Folder for the report and the demo's own store of models.")] = Path(
        "demo"
    ),
    symbol: Annotated[str, Parameter(help="The stock to trade on the holdout.")] = "AAPL",
    json: Annotated[bool, Parameter(help="Print the figures as JSON.", negative="")] = False,
) -> None:
    """Define, train, judge, lock and trade a model on bundled real stocks, and write report.html.

    The second time the model is locked already, and is only loaded.
    """
    from dlplugin import actions

    result = actions.demo(out, symbol)
    print(json_module.dumps(result.to_dict(), indent=2) if json else result)


@app.command
def indicators(
    name: Annotated[
        str | None, Parameter(help="One to explain; all are listed when it is not given.")
    ] = None,
    /,
    *,
    group: Annotated[str | None, Parameter(help="List only one group, such as momentum.")] = None,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> None:
    """List the indicators that inputs and outputs can be written with, or explain one."""
    from dlplugin import actions
    from dlplugin.cli import tables

    if name is not None:
        entry = actions.indicator(name)
        print(
            json_module.dumps(tables.indicator_facts(entry), indent=2)
            if json
            else tables.indicator_text(entry, actions.indicator_chart(entry))
        )
        return
    entries = actions.indicators(group)
    if json:
        print(json_module.dumps([tables.indicator_facts(entry) for entry in entries], indent=2))
    else:
        print(tables.indicator_list(entries))


@app.command
def models(
    *,
    store: Annotated[
        Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> None:
    """List the stored models: draft, running, trained or locked."""
    from dlplugin import actions
    from dlplugin.store import store_folder

    table = actions.models(store)
    if json:
        print(table.reset_index().to_json(orient="records", indent=2))
    else:
        print(
            table.fillna("").to_string() if len(table) else f"no models in {store_folder(store).absolute()}"
        )


@app.command
def report(
    name: Annotated[str, Parameter(help="A stored model's name, with a version or without.")],
    /,
    *,
    out: Annotated[
        Path, Parameter(help="The file: a page (.html), Markdown (.md) or data for programs (.json).")
    ] = Path("report.html"),
    data: Annotated[
        str | None,
        Parameter(help="A bundled set or a folder instead of the data it was trained on."),
    ] = None,
    store: Annotated[
        Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")
    ] = None,
) -> None:
    """Write what there is to know of a trained model: verdict, pictures, tables, record.

    Its data are read again from where they came; where they cannot be, the report says what is left out.
    """
    from dlplugin import actions

    print(f"report: {actions.report(name, out, data, store)}")


@app.command
def summary(
    what: Annotated[
        str,
        Parameter(help="A definition file in YAML or JSON, or a stored model's name.", metavar="FILE|NAME"),
    ],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(help="A bundled set such as us-stocks, or a folder, whose samples count."),
    ] = None,
    store: Annotated[
        Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> None:
    """Show a model's layers, and its weights beside the effective samples; nothing is written.

    The samples are those of the file's dataset, or of the run that a stored model predicts with.
    """
    from rich.console import Console

    from dlplugin import actions

    console = Console()
    result = actions.summary(what, data, store)
    if json:
        print(json_module.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(result.text(console.width if console.is_terminal else None))


@app.command
def unlock(
    name: Annotated[str, Parameter(help="The model's name.")],
    /,
    *,
    store: Annotated[
        Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")
    ] = None,
) -> None:
    """Make a locked model a draft again, to train it anew; its locked versions stay."""
    from dlplugin import actions

    print(actions.unlock(name, store))
