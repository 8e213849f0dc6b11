"""The audit of a stored model, on the data that it was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING

from dlplugin.errors import BarsError, PredictionError

if TYPE_CHECKING:
    from dlplugin.evaluation.audit import Audit

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
    from dlplugin.bars.origin import DataOrigin
    from dlplugin.model import load

    given = [None if each is None else DataOrigin.of(each).load() for each in (data, validation)]
    try:
        return load(name, store).audit(*given)
    except (BarsError, PredictionError) as error:
        said = str(error).replace("give dataset=", "name them with --data")
        raise type(error)(said.replace("give validation=", "name them with --validation")) from error
