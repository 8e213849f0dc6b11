"""The commands that train: dlplugin train, resume, stop, use."""

import json as json_module
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dlplugin.cli.flags import in_flags, refuse_commas, with_flags
from dlplugin.definition import Split, TrainingOptions
from dlplugin.errors import DefinitionError

if TYPE_CHECKING:
    from dlplugin.training import Run

__all__ = ["join", "resume", "stop", "train", "use"]

EXIT_CODES = {"stopped by Ctrl-C": 130, "stopped by SIGTERM": 143}  # why it stopped to the exit code

Store = Annotated[Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")]
Background = Annotated[
    bool, Parameter(help="Train in a process of its own, and come back at once.", negative="")
]
Json = Annotated[bool, Parameter(help="Print the run's facts as JSON.", negative="")]
Name = Annotated[
    str,
    Parameter(help="A run's name, or a model's: its newest run.", metavar="RUN|MODEL", show_default=False),
]


@with_flags(TrainingOptions, Split)
def train(
    what: Annotated[
        str,
        Parameter(help="A definition file in YAML or JSON, or a stored model's name.", metavar="FILE|NAME"),
    ],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(help="A bundled set such as us-stocks, or a folder, instead of the file's dataset."),
    ] = None,
    validation: Annotated[
        str | None,
        Parameter(help="Another set or folder, whose samples are out of sample instead of the data's own."),
    ] = None,
    start_from: Annotated[
        str | None, Parameter(help="A stored model or run whose weights the layers begin with.")
    ] = None,
    store: Store = None,
    background: Background = False,
    json: Json = False,
    **flags: Any,
) -> int:
    """Train a model that a file describes, or a stored one anew; flags win over the file.

    A stored model is trained on the data and with the options of its newest run. Ctrl-C stops the
    training and keeps what there is.
    """
    from dataclasses import fields

    from dlplugin import actions

    refuse_commas(flags)
    plan = actions.training_plan(what, data, validation, store)
    split = {each.name: flags[each.name] for each in fields(Split) if each.name in flags}
    options = {name: value for name, value in flags.items() if name not in split}
    try:
        plan = plan.changed(split, options, start_from)
    except DefinitionError as error:
        raise DefinitionError(in_flags(str(error), flags)) from None
    return _tell(actions.train(plan, store, background), store, background, json)


def resume(name: Name, /, *, store: Store = None, background: Background = False, json: Json = False) -> int:
    """Go on with a run where it stopped, days later if need be."""
    from dlplugin import actions

    return _tell(actions.resume(name, store, background), store, background, json)


def join(
    name: Annotated[str, Parameter(help="The run's name.", metavar="RUN", show_default=False)],
    /,
    *,
    machine: Annotated[int, Parameter(help="This machine's number, from 1; the first machine is 0.")],
    address: Annotated[str, Parameter(help="Where the first machine listens.", metavar="HOST:PORT")],
    store: Store = None,
) -> None:
    """Train a run together with the machine that has begun it, until it ends.

    The run's machines= says how many there are. The first one prints this command when it begins, and
    listens at MASTER_ADDR and MASTER_PORT where these are set, or else at its own name and a free port. The
    store lies on a drive that all of them share. NCCL and gloo, which carry the numbers, heed their usual
    variables, such as NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # torch's own words when the first machine is gone

    from dlplugin import actions
    from dlplugin.cli.run_text import command

    run = actions.join(name, machine, address, store)
    print(
        f"run {run.name} of {run.facts['model']} is over for this machine; see: {command('runs show', run)}"
    )


def stop(name: Name, /, *, store: Store = None, json: Json = False) -> int:
    """Stop a run, wherever it trains; its weights are kept, and resume goes on with it."""
    from dlplugin import actions
    from dlplugin.cli.run_text import command, losses_text

    run = actions.stop(name, store)
    if json or run.status != "stopped":  # it may have come to its end just then
        _tell(run, store, False, json)
        return 0
    after = f" after epoch {run.facts['epochs']}" if len(run.history) else ""
    print(f"run {run.name} of {run.facts['model']} has stopped{after}")
    print(losses_text(run))
    print(f"go on with: {command('resume', run)}")
    return 0


def use(
    name: Annotated[str, Parameter(help="The run's name.", metavar="RUN", show_default=False)],
    /,
    *,
    store: Store = None,
    json: Json = False,
) -> int:
    """Make a run what its model predicts with, instead of another run; all runs are kept."""
    from dlplugin import actions
    from dlplugin.cli.run_text import losses_text

    run = actions.use(name, store)
    if json:
        print(json_module.dumps(actions.run_facts(run), indent=2, ensure_ascii=False))
    else:
        print(f"{run.facts['model']} predicts with run {run.name}\n{losses_text(run)}")
    return 0


def _tell(run: "Run", store: Path | None, background: bool, json: bool) -> int:
    """Prints how it ended, or where it goes on; gives the exit code."""
    from dlplugin.actions import run_facts
    from dlplugin.cli.run_text import command

    if json:
        print(json_module.dumps(run_facts(run), indent=2, ensure_ascii=False))
    elif background and run.status == "running":
        print(f"run {run.name} trains {run.facts['model']} in a process of its own")
        print(f"watch it with: {command('runs show', run)}")
        print(f"stop it with: {command('stop', run)}")
    else:
        print("\n".join(_ending(run, store)))
    return EXIT_CODES.get(run.stop_reason, 0)


def _ending(run: "Run", store: Path | None) -> list[str]:
    """Name, why it stopped, best epoch, both losses, what it beats, and what can be done next."""
    from rich.console import Console

    from dlplugin import actions
    from dlplugin.cli.lines import fitted
    from dlplugin.cli.run_text import command, losses_text, state_text

    console = Console()
    said = actions.headline(run.name, store)
    model = run.facts["model"]
    at = "" if store is None else f", store={str(store)!r}"
    lines = [
        f"run {run.name} of {model}: {state_text(run)}",
        losses_text(run),
        *(fitted(said, console.width if console.is_terminal else None, 0) if said else []),
        f"look at it with: {command('runs show', run)}",
    ]
    if run.status == "finished":
        lines.append(
            f"in Python: dl.load({model!r}{at}).evaluation shows how it does, .lock() makes it final"
        )
    else:
        lines.append(f"go on with: {command('resume', run)}")
    return lines
