"""`python -m dlplugin` and the script `dlplugin`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits with its code."""
    from dlplugin.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
