"""The command line: a thin face over `dlplugin.actions`."""

from dlplugin.cli.app import run

__all__ = ["run"]
