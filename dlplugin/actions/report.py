"""The report of a stored model."""

from pathlib import Path

__all__ = ["report"]


def report(
    name: str, out: Path, data: str | None = None, store: Path | None = None, audit: bool = False
) -> Path:
    """Writes the report of a stored model; see `Model.report`.

    Args:
        name: The model's, with a version or without.
        out: The file: .html, .md or .json.
        data: A bundled set or a folder instead of the data it was trained on, which are read again otherwise.
        store: The store's folder.
        audit: Whether to look for the future in what it sees, and to show what was found.

    Returns:
        The file.

    Raises:
        DLPluginError: There is no such model, it is not trained, or the data cannot be used.
    """
    from dlplugin.bars.origin import DataOrigin
    from dlplugin.errors import BarsError
    from dlplugin.model import load

    dataset = None if data is None else DataOrigin.of(data).load()
    try:
        return load(name, store).report(out, dataset, audit=audit)
    except BarsError as error:
        raise BarsError(str(error).replace("give dataset=", "name them with --data")) from error
