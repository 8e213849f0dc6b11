"""Where the files that ship with dlplugin lie: beside the package, or inside it in a wheel."""

from pathlib import Path

__all__ = ["shipped_folder"]


def shipped_folder(name: str) -> Path:
    """The folder `datasets` or `strategies` as shipped.

    Args:
        name: The folder's name.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} is not part of this installation of dlplugin")
