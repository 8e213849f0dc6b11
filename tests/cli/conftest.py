"""A definition file, and every field of the settings with a value that is not its default."""

from collections.abc import Callable
from pathlib import Path

import pytest

TEXT = """\
name: us-5d
inputs:
  - {indicator: RSI(14), depth: 2}
outputs:
  - {indicator: ROC(5), look_ahead: 5}
engine: {name: mlp, hidden: [4]}
dataset: {bundled: us-stocks, symbols: [AAPL, IBM]}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes us-5d.yaml with more lines into the current folder, an empty one, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLPLUGIN_STORE", raising=False)

    def write(more: str = "") -> str:
        (tmp_path / "us-5d.yaml").write_text(TEXT + more)
        return "us-5d.yaml"

    return write
