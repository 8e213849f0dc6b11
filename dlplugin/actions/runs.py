"""Training: start one from a file or a stored model, stop it, go on with it, and look at what there is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dlplugin.errors import DamagedModelError, DefinitionError, TrainingError, UnknownModelError
from dlplugin.registry import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.bars.origin import DataOrigin
    from dlplugin.definition import TrainingPlan
    from dlplugin.training import Run

__all__ = [
    "file_of",
    "headline",
    "plain_rows",
    "refuse_unknown",
    "resume",
    "run_facts",
    "run_of",
    "runs",
    "stop",
    "train",
    "training_plan",
    "use",
]

FILES = (".yaml", ".yml", ".json")


def training_plan(
    what: str, data: str | None = None, validation: str | None = None, store: Path | None = None
) -> "TrainingPlan":
    """What `dlplugin train` would train, before its other flags.

    Args:
        what: A file that describes a training, or a stored model's name. A model is trained as in its
            newest run, on the bars that are now where that run's came from.
        data: A bundled set or a folder instead of the DataSet that these name.
        validation: The same for the one that validates.
        store: The store's folder.

    Raises:
        DLPluginError: There is no such file or model, the file is wrong, or no data are named.
    """
    from dlplugin.bars.origin import DataOrigin
    from dlplugin.definition import TrainingPlan

    given = None if data is None else DataOrigin.of(data)
    other = None if validation is None else DataOrigin.of(validation)
    path = file_of(what)
    if path is None:
        return _plan_of_model(what, given, other, store)
    plan = TrainingPlan.read(path)
    plan = replace(plan, origin=given or plan.origin, validation_origin=other or plan.validation_origin)
    if plan.origin is None:
        raise DefinitionError(f"{path} names no dataset; add one, or name it with --data us-stocks")
    return plan


def file_of(what: str) -> Path | None:
    """The file that is meant; None where it is a model's name."""
    path = Path(what).expanduser()
    return path if path.suffix.casefold() in FILES or path.name != what or path.is_file() else None


def refuse_unknown(name: str, store: Path | None) -> None:
    """Refuses a name, with a version or without, that neither a file nor a model goes by.

    Raises:
        UnknownModelError: It is such a name.
    """
    from dlplugin.store import store_folder, stored_models

    root = store_folder(store)
    known = stored_models(root)
    if name.partition("@")[0] not in known:
        hint = did_you_mean(name, known) or "; write a definition file, such as us-5d.yaml"
        raise UnknownModelError(
            f"there is no file {name!r} and no model of that name in {root.absolute()}{hint}"
        )


def train(plan: "TrainingPlan", store: Path | None = None, background: bool = False) -> "Run":
    """Trains a new run.

    Args:
        plan: What, on what and how.
        store: The store's folder.
        background: In a process of its own; the run comes back at once.

    Returns:
        The run; after Ctrl-C as far as it has come, and its `stop_reason` says so.

    Raises:
        DLPluginError: The data cannot be used, the model is locked or being trained, or the training fails.
        KeyboardInterrupt: Ctrl-C before there was a run.
    """
    from dlplugin.store import store_folder
    from dlplugin.training import Run, begin_run, execute, leaving_nothing, train_in_background

    how = (plan.dataset, plan.split, plan.options, plan.validation, plan.start_from)
    folder, samples = begin_run(store_folder(store), plan.definition, *how)
    try:
        with leaving_nothing(folder):
            if background:
                train_in_background(folder)
            else:
                execute(folder, None, samples)
    except KeyboardInterrupt:
        if not folder.path.exists():
            raise
    return Run(folder)


def resume(name: str, store: Path | None = None, background: bool = False) -> "Run":
    """Goes on with a run, or with a model's newest, where it stopped.

    Args:
        name: The run's or the model's.
        store: The store's folder.
        background: In a process of its own; the run comes back at once.

    Returns:
        The run; see `train` for Ctrl-C.

    Raises:
        DLPluginError: There is no such run, or it cannot go on.
        KeyboardInterrupt: Ctrl-C before it went on.
    """
    from dlplugin.store import RunFolder, store_folder
    from dlplugin.training import resume_run

    run = run_of(name, store)
    before = len(run.events)
    try:
        resume_run(RunFolder.open(store_folder(store), run.name), background=background)
    except KeyboardInterrupt:
        if len(run.events) == before:
            raise
    return run


def stop(name: str, store: Path | None = None) -> "Run":
    """Stops a run, or a model's newest, and waits until it has stopped.

    Raises:
        TrainingError: It is not running, or has not stopped within half a minute.
        UnknownModelError: There is no such run.
    """
    run = run_of(name, store)
    if run.status != "running":
        raise TrainingError(
            f"run {run.name} is not running, but {run.status}; see: dlplugin runs show {run.name}"
        )
    run.stop()
    return run


def use(name: str, store: Path | None = None) -> "Run":
    """Makes a run's save point what its model predicts with, instead of that of another run.

    Raises:
        UnknownModelError: There is no such run.
        LockedModelError: Its model is locked.
        StoreError: Its model is being trained.
        TrainingError: It has kept no weights, or they were not evaluated.
    """
    from dlplugin.model import load_run

    run = load_run(name, store)
    run.use()
    return run


def runs(model: str | None = None, store: Path | None = None) -> "pd.DataFrame":
    """All stored runs, or those of one model, newest first.

    Returns:
        A row a run: the columns of `dl.runs`.

    Raises:
        UnknownModelError: No run is of that model.
    """
    from dlplugin.training import runs

    table = runs(store)
    if model is not None:
        names = list(dict.fromkeys(table["model"].dropna()))
        if model not in names:
            raise UnknownModelError(
                f"no run of a model {model!r}{did_you_mean(model, names) or _listed(names)}"
            )
        table = table[table["model"] == model].reset_index(drop=True)
    return table


def run_of(name: str, store: Path | None = None) -> "Run":
    """A run by its own name, or the newest one of a model.

    Raises:
        UnknownModelError: There is neither.
    """
    from dlplugin.model import load_run
    from dlplugin.store import store_folder, stored_runs
    from dlplugin.training import newest_runs

    names = stored_runs(store_folder(store))
    if name in names:
        return load_run(name, store)
    newest = newest_runs(store)
    if name not in newest:
        hint = did_you_mean(name, [*names, *newest])
        raise UnknownModelError(f"no run and no model with runs is called {name!r}{hint or _listed(names)}")
    return load_run(newest[name], store)


def headline(name: str, store: Path | None = None) -> str:
    """The sentences on what a run's save point beats out of sample; empty while it is not evaluated."""
    from dlplugin.evaluation import Evaluation
    from dlplugin.store import RunFolder, store_folder

    folder = RunFolder.open(store_folder(store), name)
    try:
        return Evaluation.from_json(json.dumps(folder.read_evaluation())).headline
    except DamagedModelError:
        return ""


def plain_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of `runs` as JSON holds them: moments as ISO text; what there is none of is None."""
    import pandas as pd

    def plain(name: Any, value: Any) -> Any:
        if pd.isna(value):
            return None
        if name == "started":
            return value.isoformat()
        return int(value) if name in ("epochs", "best_epoch") else value

    return [
        {str(name): plain(name, value) for name, value in row.items()} for row in table.to_dict("records")
    ]


def run_facts(run: "Run", whole: bool = False) -> dict[str, Any]:
    """What is recorded of a run, as JSON holds it.

    Args:
        run: The run.
        whole: With its history, save points and diagnosis; NaN is None.
    """
    from dlplugin.evaluation.plain import to_plain

    plain = {"run": run.name} | run.facts | {"status": run.status, "stop_reason": run.stop_reason}
    if whole:
        plain["history"] = run.history.to_dict("list")
        plain["save_points"] = run.save_points
        plain["diagnosis"] = [
            {"trouble": each.trouble, "evidence": each.evidence, "advice": each.advice}
            for each in run.diagnosis().findings
        ]
    return cast(dict[str, Any], to_plain(plain))


def _listed(names: list[str]) -> str:
    return "; list them with: dlplugin runs" if names else "; there are no runs yet"


def _plan_of_model(
    name: str, given: "DataOrigin | None", other: "DataOrigin | None", store: Path | None
) -> "TrainingPlan":
    """A stored model, trained as in its newest run where it has one."""
    from dlplugin.definition import Split, TrainingOptions, TrainingPlan
    from dlplugin.model import load
    from dlplugin.training import newest_runs

    refuse_unknown(name, store)
    definition = load(name, store).definition
    newest = newest_runs(store).get(definition.name)
    if newest is None:
        if given is None:
            raise DefinitionError(
                f"model {name!r} has no run to take its data from; name them with --data us-stocks"
            )
        return TrainingPlan(definition, given, other)
    facts = run_of(newest, store).facts
    if other is None and "validation" in facts:
        other = _origin_of(definition.name, facts["validation"], "--validation")
    return TrainingPlan(
        definition,
        given or _origin_of(definition.name, facts["dataset"], "--data"),
        other,
        Split(**facts["split"]),
        TrainingOptions(**facts["options"]),
    )


def _origin_of(model: str, recorded: dict[str, Any], flag: str) -> "DataOrigin":
    """Where the data that a model's newest run has recorded came from."""
    from dlplugin.model.data import origin_of

    return origin_of(recorded, f"the newest run of {model!r} read", f"name its data with {flag}")
