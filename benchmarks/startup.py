"""What a person waits for: --help, importing dlplugin; against a Python that does nothing."""

import subprocess
import sys

from measure import medians

COMMANDS = {
    "python -m dlplugin --help": ["-m", "dlplugin", "--help"],
    "import dlplugin": ["-c", "import dlplugin"],
    "python": ["-c", "pass"],
}


def measure(quick: bool) -> dict[str, float]:
    """Seconds of each command, as whole processes."""
    contenders = {
        name: lambda arguments=arguments: subprocess.run(
            [sys.executable, *arguments], capture_output=True, check=True
        )
        for name, arguments in COMMANDS.items()
    }
    seconds = medians(contenders, 3 if quick else 10)
    return {f"seconds of {name}": taken for name, taken in seconds.items()}
