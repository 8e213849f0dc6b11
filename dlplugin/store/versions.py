"""The folder of one model: draft or trained, and its locked versions."""

import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlplugin.definition import Definition
from dlplugin.errors import (
    DamagedModelError,
    DLPluginError,
    LockedModelError,
    StoreError,
    UnknownModelError,
)
from dlplugin.registry import did_you_mean
from dlplugin.store.contents import Trained, check_manifest, manifest, read_trained, trained_files
from dlplugin.store.folders import FORMAT, hold, read_json, to_json_bytes, write_file, write_folder
from dlplugin.store.runs import RunFolder

__all__ = ["ModelFolder", "State", "split_name", "stored_models"]

MODEL_TYPE = "Deep Learning"


@dataclass(frozen=True)
class State:
    """What a model's folder says.

    Attributes:
        status: "draft", "running", "trained" or "locked".
        definition: The definition stored last; of the newest version when it is locked.
        run: The run whose save point a trained model predicts with.
        versions: Numbers of the locked versions.
    """

    status: str
    definition: Definition
    run: str | None
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
    return sorted(
        path.name
        for path in root.iterdir()
        if not path.name.startswith(".") and ModelFolder(root, path.name).exists
    )


class ModelFolder:
    """models/NAME. Its state is read anew each time, so that several processes agree."""

    def __init__(self, root: Path, name: str) -> None:
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
        versions = self.versions
        draft = read_json(self._draft_file) if self._draft_file.is_file() else None
        if draft is None or draft["after_version"] < (versions[-1] if versions else 0):
            if not versions:
                raise UnknownModelError(self._unknown())
            definition = _definition(self.version_path(versions[-1]) / "definition.json")
            return State("locked", definition, None, versions)
        training, run = draft.get("training"), draft.get("run")
        status = "trained" if run else "draft"
        if training and RunFolder(self.root, training).alive:
            status = "running"
        return State(status, _definition(self._draft_file, "definition"), run, versions)

    def write_draft(
        self, definition: Definition, run: str | None = None, training: str | None = None
    ) -> None:
        """Stores a definition, the run it predicts with, and the run that is training it.

        Raises:
            LockedModelError: The model is locked.
        """
        with self._changing():
            self._refuse_locked("train")
            versions = self.versions
            self._write_draft(definition, run, training, versions[-1] if versions else 0)

    def lock(self, trained: Trained, further: Mapping[str, object], note: str, forced: bool) -> int:
        """Makes a trained model the next version.

        Args:
            trained: What the version predicts with.
            further: File name to more JSON that the version keeps, such as its evaluation.
            note: The user's words.
            forced: Whether it was locked in spite of something missing.

        Returns:
            The version's number.
        """
        with self._changing():
            self._refuse_locked("lock")
            number = (self.versions or (0,))[-1] + 1
            files = trained_files(trained)
            files |= {name: to_json_bytes(value) for name, value in further.items()}
            locked_at = datetime.now(UTC).isoformat(timespec="seconds")
            about = {
                "format": FORMAT,
                "type": MODEL_TYPE,
                "locked_at": locked_at,
                "note": note,
                "forced": forced,
            }
            files["lock.json"] = to_json_bytes(about)
            files["manifest.json"] = to_json_bytes(manifest(files))
            write_folder(self.version_path(number), files)
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
            self._write_draft(state.definition, None, None, state.versions[-1])

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
            if self.state().status == "running":
                raise StoreError(f"model {self.name!r} is being trained; stop the training first")
            gone = self.path.with_name(f".{self.name}.deleted")
            shutil.rmtree(gone, ignore_errors=True)
            self.path.rename(gone)
            shutil.rmtree(gone)

    def version_path(self, number: int) -> Path:
        """The folder of a locked version."""
        return self.path / "versions" / str(number)

    def read_version(self, number: int) -> Trained:
        """A locked version, every byte checked.

        Raises:
            UnknownModelError: There is no such version.
            DamagedModelError: A file differs from what was locked.
        """
        if number not in self.versions:
            there = ", ".join(f"{self.name}@{have}" for have in self.versions) or "none"
            raise UnknownModelError(f"no version {self.name}@{number}; there are: {there}")
        check_manifest(self.version_path(number))
        return read_trained(self.version_path(number))

    def read_further(self, number: int, name: str) -> dict[str, Any]:
        """A further JSON file of a locked version, such as its evaluation.

        Raises:
            DamagedModelError: A file differs from what was locked, or it is not there.
        """
        check_manifest(self.version_path(number))
        return read_json(self.version_path(number) / name)

    @property
    def type(self) -> str:
        """The model type that reads it."""
        path = (
            self._draft_file
            if self._draft_file.is_file()
            else self.version_path(self.versions[-1]) / "lock.json"
        )
        return str(read_json(path)["type"])

    def locked_since(self, number: int) -> str:
        """The day the version was locked, as an ISO date."""
        return str(read_json(self.version_path(number) / "lock.json").get("locked_at", "?"))[:10]

    @property
    def _draft_file(self) -> Path:
        return self.path / "definition.json"

    def _write_draft(self, definition: Definition, run: str | None, training: str | None, after: int) -> None:
        draft: dict[str, Any] = {
            "format": FORMAT,
            "type": MODEL_TYPE,
            "definition": definition.to_dict(),
            "run": run,
            "training": training,
            "after_version": after,
        }
        write_file(self._draft_file, to_json_bytes(draft))

    def _refuse_locked(self, verb: str) -> None:
        if not self.exists:
            return
        state = self.state()
        if state.status == "locked":
            since = self.locked_since(state.versions[-1])
            raise LockedModelError(
                f"model {self.name!r} is locked since {since}; {verb} under a new name, or: dlplugin unlock {self.name}"
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
        return f"no model {self.name!r} in the store {self.root}{hint}"


def _definition(path: Path, key: str | None = None) -> Definition:
    """The definition in a file of the store, or under a key of it."""
    plain = read_json(path)
    try:
        return Definition.from_dict(plain if key is None else plain.get(key))
    except DLPluginError as error:
        raise DamagedModelError(f"{path} does not hold a definition: {error}") from None
