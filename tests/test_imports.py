"""What importing and asking for help cost."""

import subprocess
import sys

import dlplugin as dl

HEAVY = ("torch", "lightning", "backtrader", "pandas", "talib", "matplotlib", "yfinance", "captum")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_dlplugin_loads_none_of_the_heavy_packages() -> None:
    assert run(f"import sys, dlplugin; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_help_loads_none_of_the_heavy_packages() -> None:
    code = (
        "import sys, runpy; from dlplugin.cli import run\n"
        "assert run(['train', '--help']) == 0  # its flags are made from the options' fields\n"
        "sys.argv = ['dlplugin', '--help']\n"
        "try: runpy.run_module('dlplugin', run_name='__main__')\n"
        f"except SystemExit as end: print(end.code, [m for m in {HEAVY} if m in sys.modules])"
    )
    assert run(code).splitlines()[-1] == "0 []"


def test_importing_it_after_backtrader_puts_the_model_type_into_backtrader() -> None:
    code = (
        "import sys, backtrader as bt, dlplugin as dl; "
        "print(bt.ind.DLPredictor is dl.DLPredictor, [m for m in ('torch', 'lightning') if m in sys.modules])"
    )
    assert run(code) == "True []"


def test_register_puts_it_there_when_dlplugin_came_first() -> None:
    assert (
        run("import dlplugin as dl, backtrader as bt; dl.register(); print(bt.ind.DLPredictor.__name__)")
        == "DLPredictor"
    )


def test_all_names_are_there() -> None:
    assert all(getattr(dl, name) is not None for name in dl.__all__)
    assert set(dl.__all__) <= set(dir(dl))


def test_the_deep_learning_model_type_is_registered() -> None:
    assert dl.model_types["Deep Learning"] is dl.Model
