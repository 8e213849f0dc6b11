"""Slow functions of one's own: computed once for the same bars and source, never out of date."""

import math
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.bars import cache
from dlplugin.indicators import Indicator, slow
from dlplugin.indicators.reach import reach_of

SOURCE = """
import os
import random
import numpy as np
import pandas as pd
import dlplugin as dl
import slow_helpers
from slow_helpers import scaled

FACTOR = 2.0
calls = []
class Own: pass
own = Own()

def last(bars, n=5):
    return bars["close"].rolling(n).apply(lambda part: scaled(part.sum()) * FACTOR, raw=True)

def through_module(bars): return slow_helpers.shifted(bars["close"])
def numpy_too(bars): return np.log(bars["close"])
def recursive(bars): return bars["close"] if len(bars) < 2 else recursive(bars[:1])
def of_an_object(bars): return bars["close"] * own.__class__.__name__.__len__()
def of_a_file(bars): return pd.read_csv("x.csv")["close"]
def of_chance(bars): return bars["close"] * random.random()
def of_the_environment(bars): return bars["close"] * float(os.environ["X"])
def of_an_import(bars):
    import slow_helpers as late
    return late.scaled(bars["close"])
def of_a_name_in_a_text(bars): return dl.Indicator("last()").compute(bars)
def with_a_memory(bars):
    global FACTOR
    FACTOR = FACTOR + 1
    return bars["close"]
"""
HELPERS = """
SHARE = 3.0
def scaled(values):
    return values * SHARE
def shifted(values):
    return values + SHARE
def unused(values):
    return values
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry) -> Path:
    """An empty cache, in which everything is kept however quick."""
    monkeypatch.setenv("DLPLUGIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(slow, "SLOW", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def bars(stock: pd.DataFrame) -> pd.DataFrame:
    return stock.iloc[:120]


def made(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(source, vars(module))
    return module


def modules(old: str = "", new: str = "", helper_old: str = "", helper_new: str = "") -> types.ModuleType:
    made("slow_helpers", HELPERS.replace(helper_old, helper_new) if helper_old else HELPERS)
    return made("slow_indicators", SOURCE.replace(old, new) if old else SOURCE)


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    for name in ("slow_helpers", "slow_indicators"):
        sys.modules.pop(name, None)


def reach(name: str = "last", **edits: str) -> str | None:
    return reach_of(vars(modules(**edits))[name])


def bits(values: np.ndarray) -> bytes:
    return np.where(np.isnan(values), np.nan, values).tobytes()


def entries() -> int:
    return cache.contents()["inputs"].entries


def test_values_with_and_without_the_cache_have_the_same_bits(root: Path, bars: pd.DataFrame) -> None:
    function = modules().last
    dl.indicator(name="without")(function)
    dl.indicator(name="windowed", lookback=5, check=False)(function)
    for text in ("without(7)", "windowed()", "SMA(without(7), 3)"):
        cache.clear("inputs")
        fresh = Indicator(text).compute(bars)
        assert entries() == 1
        assert bits(Indicator(text).compute(bars)) == bits(fresh)
        assert bits(fresh) == bits(_uncached(text, bars))
        assert entries() == 1


def _uncached(text: str, bars: pd.DataFrame) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slow, "reach_of", lambda function: None)
        return Indicator(text).compute(bars)


def test_the_cached_values_are_the_ones_that_are_used(root: Path, bars: pd.DataFrame, monkeypatch) -> None:
    dl.indicator(name="without")(modules().last)
    first = Indicator("without(7)").compute(bars)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("dlplugin.indicators.own.OwnCall._slow", never)
    assert bits(Indicator("without(7)").compute(bars)) == bits(first)
    with pytest.raises(AssertionError, match="computed again"):
        Indicator("without(8)").compute(bars)


@pytest.mark.parametrize("change", ["value", "minus zero", "time", "zone", "fewer"])
def test_a_changed_bar_is_never_served_old_values(root: Path, bars: pd.DataFrame, change: str) -> None:
    dl.indicator(name="without")(modules().last)
    bars = bars.assign(volume=0.0)
    changed = bars.copy()
    if change == "value":
        changed.iloc[60, changed.columns.get_loc("close")] *= 1 + 1e-15
    elif change == "minus zero":
        changed.iloc[60, changed.columns.get_loc("volume")] = -0.0
    elif change == "time":
        changed.index = changed.index + pd.Timedelta(1)
    elif change == "zone":
        changed.index = changed.index.tz_localize("UTC")
    else:
        changed = changed.iloc[:-1]
    Indicator("without()").compute(bars)
    assert bits(Indicator("without()").compute(changed)) == bits(_uncached("without()", changed))
    assert entries() == 2


def test_only_the_bars_of_the_changed_symbol_are_computed_again(
    root: Path, bars, others, monkeypatch
) -> None:
    dl.indicator(name="without")(modules().last)
    text = 'of("IBM", without()) + without()'
    frames = {"IBM": others["IBM"].iloc[:120]}
    Indicator(text).compute(bars, frames)
    assert entries() == 2
    Indicator(text).compute(bars, {"IBM": frames["IBM"] * 2})
    assert entries() == 3


def test_an_edited_function_is_never_served_old_values(root: Path, bars: pd.DataFrame) -> None:
    def values() -> np.ndarray:
        Indicator("close")  # nothing of it is remembered between registrations
        return Indicator("last()").compute(bars)

    dl.indicator(modules().last)
    once = values()
    dl.indicator(modules(helper_old="SHARE = 3.0", helper_new="SHARE = 6.0").last)
    np.testing.assert_array_equal(values(), 2 * once)
    dl.indicator(modules(old="FACTOR = 2.0", new="FACTOR = 8.0").last)
    np.testing.assert_array_equal(values(), 4 * once)


@pytest.mark.parametrize(
    "edits",
    [
        {"old": "n=5", "new": "n=6"},
        {"old": "part.sum()", "new": "part.max()"},
        {"old": "* FACTOR, raw", "new": "+ FACTOR, raw"},
        {"old": "FACTOR = 2.0", "new": "FACTOR = 2"},
        {"helper_old": "values * SHARE", "helper_new": "values + SHARE"},
        {"helper_old": "SHARE = 3.0", "helper_new": "SHARE = 3.5"},
        {"helper_old": "SHARE = 3.0", "helper_new": "SHARE = [3.0, {'a': 1}]"},
    ],
)
def test_every_edit_of_what_a_function_reaches_is_seen(edits: dict[str, str]) -> None:
    assert reach(**edits) not in (None, reach())


def test_what_it_does_not_reach_does_not_matter() -> None:
    assert reach() is not None
    assert reach(old="calls = []", new="calls = [1]") == reach()
    assert reach(helper_old="return values\n", helper_new="return 2 * values\n") == reach()


@pytest.mark.parametrize("name", ["through_module", "numpy_too", "recursive"])
def test_modules_packages_and_itself_are_reached(name: str) -> None:
    assert reach(name) is not None
    assert (reach(name, helper_old="3.0", helper_new="4.0") == reach(name)) == (name != "through_module")


@pytest.mark.parametrize(
    "name",
    (
        "of_an_object of_a_file of_chance of_the_environment of_an_import of_a_name_in_a_text with_a_memory"
    ).split(),
)
def test_what_cannot_be_seen_whole_is_not_cached(name: str) -> None:
    assert reach(name) is None


def test_closures_are_reached_and_callables_that_are_no_functions_are_not() -> None:
    def closed(factor: object) -> types.FunctionType:
        return lambda bars: bars["close"] * factor  # type: ignore[no-any-return,return-value]

    assert reach_of(closed(2)) == reach_of(closed(2)) != reach_of(closed(3))
    assert reach_of(closed(np.arange(3))) != reach_of(closed(np.arange(3.0)))
    assert reach_of(closed(object())) is None
    assert reach_of(closed([closed, {1, 2}, math.sqrt])) is not None
    assert reach_of(closed([].append)) is None
    assert reach_of(closed(list(range(100_000)))) is None
    assert reach_of(math.sqrt) is None


def test_its_hash_is_the_same_in_every_process() -> None:
    code = (
        "from dlplugin.indicators.reach import reach_of\n"
        "def known(bars, names={'open', 'high', 'low'}): return bars['close'] if 'x' in {'a', 'b', 'c'} else names\n"
        "print(reach_of(known))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(printed) == 1
    assert printed != {"None\n"}


def test_quick_values_are_not_kept(root: Path, bars: pd.DataFrame, monkeypatch) -> None:
    monkeypatch.setattr(slow, "SLOW", 60.0)
    dl.indicator(modules().last)
    Indicator("last()").compute(bars)
    assert entries() == 0


class _Traitor:
    """Unpickled, it would leave a trace."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("import sys; sys.modules['traitor'] = sys",)


@pytest.mark.parametrize("spoil", ["bytes", "pickle", "shape"])
def test_damaged_or_foreign_entries_are_computed_again(root: Path, bars: pd.DataFrame, spoil: str) -> None:
    dl.indicator(modules().last)
    fresh = Indicator("last()").compute(bars)
    (path,) = (root / "inputs").iterdir()
    if spoil == "bytes":
        path.write_bytes(path.read_bytes()[:-40])
    else:
        wrong = np.array([_Traitor()] * 120, dtype=object) if spoil == "pickle" else np.zeros(119)
        np.save(root / "wrong.npy", wrong, allow_pickle=True)
        cache.write_entry("inputs", path.stem, (root / "wrong.npy").read_bytes())
    assert bits(Indicator("last()").compute(bars)) == bits(fresh)
    assert np.load(path, allow_pickle=False).shape == (120,)
    assert "traitor" not in sys.modules


def test_a_folder_that_cannot_be_written_is_not_used(root: Path, bars: pd.DataFrame, monkeypatch) -> None:
    root.write_text("no folder")
    dl.indicator(modules().last)
    assert bits(Indicator("last()").compute(bars)) == bits(_uncached("last()", bars))
