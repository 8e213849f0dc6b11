"""The folder of one model: draft or trained, and its locked versions."""

import re
import shutil
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlplugin.definition import Definition, is_name
from dlplugin.errors import (
    DamagedModelError,
    DLPluginError,
    LockedModelError,
    PredictionError,
    StoreError,
    UnknownModelError,
)
from dlplugin.registry import did_you_mean
from dlplugin.store.contents import stored_definition
from dlplugin.store.folders import (
    FORMAT,
    hold,
    parse_json,
    place_of,
    read_json,
    to_json_bytes,
    write_file,
)
from dlplugin.store.locked import MODEL_TYPE, VersionFolder
from dlplugin.store.runs import RunFolder

__all__ = ["ModelFolder", "State", "split_name", "stored_models"]


@dataclass(frozen=True)
class State:
    """What a model's folder says.

    Attributes:
        status: "draft", "running", "trained" or "locked".
        definition: The definition stored last; of the newest version when it is locked.
        run: The run whose save point a trained model predicts with.
        newest: The run that was begun last; it may have been stopped or interrupted.
        versions: Numbers of the locked versions.
    """

    status: str
    definition: Definition
    run: str | None
    newest: str | None
    versions: tuple[int, ...]


def split_name(reference: str) -> tuple[str, int | None]:
    """`"us-5d@2"` to name and version; the version is None for a bare name.

    Raises:
        UnknownModelError: The version is not a number.
    """
    name, at, version = reference.partition("@")
    if at and not version.isdecimal():
        raise UnknownModelError(f"{reference!r} names no version; write {name}@1")
    return name, int(version) if at else None


def stored_models(root: Path) -> list[str]:
    """Names of all models in a store, sorted."""
    if not root.is_dir():
        return []
    names = [path.name for path in root.iterdir() if is_name(path.name)]
    return sorted(name for name in names if ModelFolder(root, name).exists)


class ModelFolder:
    """models/NAME. Its state is read anew each time, so that several processes agree."""

    def __init__(self, root: Path, name: str) -> None:
        if not is_name(name):
            raise UnknownModelError(f"{name!r} is no model's name: letters, digits, '.', '-' and '_' only")
        self.root = root
        self.name = name
        self.path = root / name

    @property
    def exists(self) -> bool:
        """Whether anything is stored under the name."""
        return self._draft_file.is_file() or bool(self.versions)

    @property
    def versions(self) -> tuple[int, ...]:
        """Numbers of the locked versions, ascending."""
        folder = self.path / "versions"
        if not folder.is_dir():
            return ()
        return tuple(
            sorted(int(path.name) for path in folder.iterdir() if re.fullmatch(r"[1-9]\d*", path.name))
        )

    def state(self) -> State:
        """What is stored.

        Raises:
            UnknownModelError: Nothing is.
            DamagedModelError: A file cannot be read.
        """
        draft = self._read_draft()  # before the versions: a lock makes its version, then removes the draft
        versions = self.versions
        if draft is None or draft["after_version"] < (versions[-1] if versions else 0):
            if not versions:
                raise UnknownModelError(self._unknown())
            path = self._version_folder(versions[-1]).path / "definition.json"
            return State("locked", self._definition(path, read_json(path)), None, None, versions)
        training, run = draft["training"], draft["run"]
        status = "trained" if run else "draft"
        if training and RunFolder(self.root, training).alive:
            status = "running"
        definition = self._definition(self._draft_file, draft["definition"])
        return State(status, definition, run, training or run, versions)

    def write_draft(self, definition: Definition) -> None:
        """Stores a definition; the run that it predicts with stays if the definition is the same.

        Raises:
            LockedModelError: The model is locked.
            StoreError: It is being trained.
        """
        with self._changing():
            self.refuse_training()
            self._write_draft(definition, self._kept_run(definition), self._newest_run(definition))

    def refuse_training(self, run: str | None = None) -> None:
        """Says at once what `begin_training` would refuse.

        Args:
            run: One that may train it: a run does not stand in its own way.

        Raises:
            LockedModelError: The model is locked.
            StoreError: Another run is training it.
        """
        self._refuse_locked("train")
        self._refuse_running(run)

    def begin_training(self, definition: Definition, run: str) -> None:
        """Notes that a run, whose lock is held, trains this definition.

        Raises:
            LockedModelError: The model is locked.
            StoreError: Another run is training it.
        """
        with self._changing():
            self.refuse_training(run)
            self._write_draft(definition, self._kept_run(definition), run)

    def end_training(self, definition: Definition, run: str) -> None:
        """Makes a run's save point what the model predicts with."""
        with self._changing():
            self._refuse_locked("train")
            self._write_draft(definition, run, None)

    def use(self, definition: Definition, run: str) -> None:
        """Makes another run's save point what the model predicts with.

        Raises:
            LockedModelError: The model is locked.
            StoreError: It is being trained.
        """
        with self._changing():
            self._refuse_locked("choose a run")
            self._refuse_running()
            self._write_draft(definition, run, None)

    def lock(self, definition: Definition, note: str, force: bool) -> int:
        """Makes the trained model the next version.

        Args:
            definition: What the caller means to lock.
            note: The user's words.
            force: Locks although there is no out-of-sample evaluation.

        Returns:
            The version's number.

        Raises:
            LockedModelError: It is locked already.
            StoreError: It is not trained, or has no out-of-sample evaluation.
        """
        with self._changing():
            self._refuse_locked("lock")
            run = self._kept_run(definition)
            if run is None or self.state().status == "running":
                raise StoreError(f"cannot lock: {self.why_not(definition)}")
            folder = RunFolder.open(self.root, run)
            evaluated = "out-of-sample" in folder.facts["spans"]
            if not evaluated and not force:
                raise StoreError(
                    f"model {self.name!r} has no out-of-sample evaluation; train with an out-of-sample span, "
                    "or lock(force=True)"
                )
            if not folder.evaluated:
                raise StoreError(
                    f"cannot lock: run {run} of model {self.name!r} has no evaluation, which failed or was cut off; "
                    f"do it again with: dlplugin resume {run}{place_of(self.root)}"
                )
            number = (self.versions or (0,))[-1] + 1
            self._version_folder(number).write(folder, note, forced=not evaluated)
            self._draft_file.unlink(missing_ok=True)
            return number

    def unlock(self) -> None:
        """Makes the newest version's definition a draft again; the version stays.

        Raises:
            StoreError: The model is not locked.
        """
        with self._changing():
            state = self.state()
            if state.status != "locked":
                raise StoreError(f"model {self.name!r} is not locked, but {state.status}")
            self._write_draft(state.definition, None, None)

    def delete(self) -> None:
        """Removes a model that was never locked; runs stay.

        Raises:
            LockedModelError: It has locked versions.
        """
        with self._changing():
            if not self.exists:
                raise UnknownModelError(self._unknown())
            versions = self.versions
            if versions:
                listed = ", ".join(f"{self.name}@{number}" for number in versions)
                raise LockedModelError(
                    f"model {self.name!r} has locked versions that are kept for good: {listed}"
                )
            with suppress(DamagedModelError):  # what cannot be read can still be deleted
                if self._running:
                    raise StoreError(f"model {self.name!r} is being trained; stop the training first")
            gone = self.path.with_name(f".{self.name}.deleted")
            shutil.rmtree(gone, ignore_errors=True)
            self.path.rename(gone)
            shutil.rmtree(gone)

    def version(self, number: int) -> VersionFolder:
        """A locked version.

        Raises:
            UnknownModelError: There is no such version.
        """
        if number not in self.versions:
            there = ", ".join(f"{self.name}@{have}" for have in self.versions) or "none"
            raise UnknownModelError(f"no version {self.name}@{number}; there are: {there}")
        return self._version_folder(number)

    def source(self, definition: Definition) -> RunFolder | VersionFolder | None:
        """What the name predicts with: the newest version when it is locked, or the run of a trained model.

        None when there is nothing, or when what is stored is another definition.
        """
        if not self.exists:
            return None
        state = self.state()
        if state.definition.hash != definition.hash:
            return None
        if state.status == "locked":
            return self._version_folder(state.versions[-1])
        return RunFolder.open(self.root, state.run) if state.run else None

    def why_not(self, definition: Definition) -> str:
        """Why the name does not predict with this definition, and what to do."""
        state = self.state() if self.exists else None
        if state is not None and state.definition.hash != definition.hash:
            stored, given = state.definition.to_dict(), definition.to_dict()
            other = [part for part in ("inputs", "outputs", "engine") if stored[part] != given[part]]
            return (
                f"model {self.name!r} is stored with other {' and '.join(other)} than described here; "
                f"use dl.load({self.name!r}), or train this one under a new name"
            )
        if state is not None and state.status == "running":
            return f"model {self.name!r} is being trained; wait until it ends"
        return f"model {self.name!r} is a draft; train it first"

    @property
    def type(self) -> str:
        """The model type that reads it."""
        draft = self._read_draft()
        return str(draft["type"] if draft else self._version_folder(self.versions[-1]).about["type"])

    @property
    def _draft_file(self) -> Path:
        return self.path / "definition.json"

    def _read_draft(self) -> dict[str, Any] | None:
        """definition.json, or None when there is none."""
        try:
            content = self._draft_file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DamagedModelError(f"{self._draft_file} cannot be read: {error.strerror or error}") from None
        draft = parse_json(self._draft_file, content)
        kinds = {"format": int, "type": str, "definition": dict, "after_version": int}
        wrong = [key for key, kind in kinds.items() if not isinstance(draft.get(key), kind)]
        wrong += [key for key in ("run", "training") if not isinstance(draft.get(key), str | None)]
        if wrong:
            raise DamagedModelError(f"{self._draft_file} has no {wrong[0]!r} that could be read")
        if draft["format"] > FORMAT:
            raise DamagedModelError(
                f"{self._draft_file} has format {draft['format']}, but this dlplugin reads {FORMAT}; update it"
            )
        return draft

    def _definition(self, path: Path, plain: object) -> Definition:
        """The definition in a file of this folder."""
        try:
            definition = stored_definition(plain)
        except PredictionError:  # what is missing here is no damage
            raise
        except DLPluginError as error:
            raise DamagedModelError(f"{path} does not hold a definition: {error}") from None
        if definition.name != self.name:
            raise DamagedModelError(
                f"{self.path} holds model {definition.name!r}; a model's folder has its name, so rename it back"
            )
        return definition

    def _version_folder(self, number: int) -> VersionFolder:
        return VersionFolder(self.path / "versions" / str(number))

    def _kept_run(self, definition: Definition) -> str | None:
        """The run that the stored model predicts with, if its definition is still this one."""
        if not self.exists:
            return None
        state = self.state()
        return state.run if state.definition.hash == definition.hash else None

    def _newest_run(self, definition: Definition) -> str | None:
        """The run that was begun last, if the stored definition is still this one."""
        if not self.exists:
            return None
        state = self.state()
        return state.newest if state.definition.hash == definition.hash else None

    def _write_draft(self, definition: Definition, run: str | None, training: str | None) -> None:
        draft: dict[str, Any] = {
            "format": FORMAT,
            "type": MODEL_TYPE,
            "definition": definition.to_dict(),
            "run": run,
            "training": training,
            "after_version": (self.versions or (0,))[-1],
        }
        write_file(self._draft_file, to_json_bytes(draft))

    def _refuse_locked(self, verb: str) -> None:
        if not self.exists:
            return
        state = self.state()
        if state.status == "locked":
            since = str(self._version_folder(state.versions[-1]).about["locked_at"])[:10]
            raise LockedModelError(
                f"model {self.name!r} is locked since {since}; {verb} under a new name, or: "
                f"dlplugin unlock {self.name}{place_of(self.root)}"
            )

    @property
    def _running(self) -> str | None:
        """The run that is training it now."""
        draft = self._read_draft()
        training: str | None = draft["training"] if draft else None
        return training if training and RunFolder(self.root, training).alive else None

    def _refuse_running(self, but: str | None = None) -> None:
        running = self._running
        if running and running != but:
            raise StoreError(
                f"model {self.name!r} is being trained already, by run {running}; wait for it, or: "
                f"dlplugin stop {running}{place_of(self.root)}"
            )

    def _changing(self) -> AbstractContextManager[None]:
        return hold(
            self.root, f"model-{self.name}", f"model {self.name!r} is being changed by another process"
        )

    def _unknown(self) -> str:
        known = stored_models(self.root)
        hint = did_you_mean(self.name, known) or (
            f"; there are: {', '.join(known)}" if known else "; it is empty"
        )
        return f"no model {self.name!r} in the store {self.root.absolute()}{hint}"
