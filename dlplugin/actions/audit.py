"""The audit of a stored model, on the data that it was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING

from dlplugin.errors import DefinitionError

if TYPE_CHECKING:
    from dlplugin.bars import DataSet
    from dlplugin.evaluation.audit import Audit
    from dlplugin.model import Model

__all__ = ["audit"]


def audit(
    name: str, data: str | None = None, validation: str | None = None, store: Path | None = None
) -> "Audit":
    """Audits a stored model; see `Model.audit`.

    Args:
        name: The model's, with a version or without.
        data: A bundled set or a folder; that which the model was trained on when not given.
        validation: The same for the one that validated.
        store: The store's folder.

    Raises:
        DLPluginError: There is no such model, its data are not at hand, or they lack what it reads.
    """
    from dlplugin.model import load

    model = load(name, store)
    dataset = _data(model, "dataset", data, "--data")
    if dataset is None:
        raise DefinitionError(
            f"model {name!r} is not trained and names no data; name them with --data us-stocks"
        )
    return model.audit(dataset, _data(model, "validation", validation, "--validation"))


def _data(model: "Model", kind: str, given: str | None, flag: str) -> "DataSet | None":
    """What is named, or else what the training has recorded; None where there is neither."""
    from dlplugin.actions.runs import origin_of
    from dlplugin.bars.origin import DataOrigin

    if given is not None:
        return DataOrigin.of(given).load()
    recorded = None if model.status in ("draft", "running") else model.record.get(kind)
    return None if recorded is None else origin_of(model.name, recorded, flag).load()
