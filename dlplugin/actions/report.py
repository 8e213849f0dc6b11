"""The report of a stored model."""

from pathlib import Path

__all__ = ["report"]


def report(name: str, out: Path, data: str | None = None, store: Path | None = None) -> Path:
    """Writes the report of a stored model; see `Model.report`.

    Args:
        name: The model's, with a version or without.
        out: The file: .html, .md or .json.
        data: A bundled set or a folder instead of the data it was trained on, which are read again otherwise.
        store: The store's folder.

    Returns:
        The file.

    Raises:
        DLPluginError: There is no such model, it is not trained, or the data cannot be used.
    """
    from dlplugin.bars.origin import DataOrigin
    from dlplugin.model import load

    return load(name, store).report(out, None if data is None else DataOrigin.of(data).load())
