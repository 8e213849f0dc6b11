"""What is installed from a wheel is whole: data, strategies, report files, and nothing from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

USE = """
import sys
from pathlib import Path
import dlplugin as dl
from dlplugin.resources import shipped_folder
assert Path(dl.__file__).is_relative_to(sys.argv[1]), dl.__file__
for name in ("us-stocks", "sp500", "eurusd-1h"):
    print(name, len(dl.DataSet.bundled(name)))
print(shipped_folder("strategies").joinpath("buy_predicted_gain.py").is_file())
import dlplugin.report
from dlplugin import actions
result = actions.demo(Path(sys.argv[2]))
print(result.report.is_file())
"""


@pytest.mark.slow
def test_the_wheel_runs_the_demo_far_from_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([*pip, *wheel], check=True)
    (built,) = tmp_path.glob("dlplugin-*.whl")
    names = zipfile.ZipFile(built).namelist()
    assert "dlplugin/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(built)], check=True)
    done = subprocess.run(
        [sys.executable, "-c", USE, str(site), str(tmp_path / "demo")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["us-stocks", "11", "sp500", "1", "eurusd-1h", "1", "True", "True"]
