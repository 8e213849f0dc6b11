"""300 bad frames made from real bars: each is mended with a report, warned about, or refused."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlplugin.bars import BUNDLED, DataSet, check_bars
from dlplugin.bars.checks import examine_bars
from dlplugin.bars.dates import day_text
from dlplugin.bars.form import tidy
from dlplugin.bars.grades import OTHER_INTERVAL, TROUBLES, grades_table
from dlplugin.cli import run
from dlplugin.errors import BarsError, DLPluginWarning

PRICES = ["open", "high", "low", "close"]
ZONES = ["America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Australia/Adelaide", "UTC"]

Random = np.random.Generator
Spoilt = tuple[pd.DataFrame, pd.Timestamp | None]


@dataclass(frozen=True)
class Injection:
    """A trouble put into bars at a random place.

    Attributes:
        trouble: What the table calls it.
        spoil: Bars and the rows that it may choose from to spoilt bars and the date that is to be named.
        stage: Injections of one frame go in this order: values, rows, order, form.
        names: Other rows of the table that may be right too, where a real move is on top of a jump.
    """

    trouble: str
    stage: int
    spoil: Callable[[pd.DataFrame, Random, int, int], Spoilt]
    names: tuple[str, ...] = ()


def _set(bars: pd.DataFrame, row: int, column: str, value: float) -> None:
    bars.iloc[row, bars.columns.get_loc(column)] = value


def _one_value(columns: list[str], value: Callable[[Random], float]) -> Callable[..., Spoilt]:
    def spoil(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
        row = int(random.integers(low, high))
        _set(bars, row, str(random.choice(columns)), value(random))
        return bars, bars.index[row]

    return spoil


def _many_missing(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    rows = np.sort(random.choice(np.arange(low, high), max(4, len(bars) // 40), replace=False))
    for row in rows:
        _set(bars, int(row), str(random.choice([*PRICES, "volume"])), np.nan)
    return bars, bars.index[rows[0]]


def _no_prices(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    place = random.choice(["start", "inside", "end"])
    count = int(random.integers(1, 9))
    row = {"start": 0, "inside": int(random.integers(low, high)), "end": len(bars) - count}[str(place)]
    for column in [*PRICES, *(["volume"] if random.random() < 0.5 else [])]:
        bars.iloc[row : row + count, bars.columns.get_loc(column)] = np.nan
    return bars, bars.index[row]


def _crossed(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row = int(random.integers(low, high))
    _set(bars, row, "high", bars["low"].iloc[row] * random.uniform(0.5, 0.999))
    return bars, bars.index[row]


def _outside(least: float, most: float) -> Callable[..., Spoilt]:
    def spoil(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
        row, column = int(random.integers(low, high)), str(random.choice(["open", "close"]))
        share = random.uniform(least, most)
        up = random.random() < 0.5
        edge = bars["high"].iloc[row] * (1 + share) if up else bars["low"].iloc[row] * (1 - share)
        _set(bars, row, column, edge)
        return bars, bars.index[row]

    return spoil


def _split(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row = int(random.integers(low, high))
    ratio = float(random.choice([2, 3, 4, 5, 10, 20, 1 / 2, 1 / 3, 1 / 5, 1 / 10]))
    bars.iloc[row:, [bars.columns.get_loc(column) for column in PRICES]] /= ratio
    return bars, bars.index[row]


def _bad_tick(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row, factor = int(random.integers(low, high)), float(random.uniform(4, 60))
    kind = random.choice(["up", "down", "high", "low"])
    chosen = {"high": ["high"], "low": ["low"]}.get(str(kind), PRICES)
    factor = factor if kind in ("up", "high") else 1 / factor
    bars.iloc[row, [bars.columns.get_loc(column) for column in chosen]] *= factor
    return bars, bars.index[row]


def _stale(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row, count = int(random.integers(low, high - 12)), int(random.integers(10, 30))
    places = [bars.columns.get_loc(column) for column in PRICES]
    bars.iloc[row : row + count, places] = bars.iloc[row, places].to_numpy()
    return bars, bars.index[row]


def _gap(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    hourly = bars.index[1] - bars.index[0] < pd.Timedelta("12h")
    row = int(random.integers(low, high))
    count = int(random.integers(10, 40)) if not hourly else int(random.integers(265, 300))
    row = min(row, len(bars) - count - 20)
    return bars.drop(bars.index[row : row + count]), bars.index[row + count]


def _crowded(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row = int(random.integers(low, high))
    interval = pd.Series(bars.index).diff().median()
    late = bars.index[row] + interval * float(random.uniform(0.05, 0.45)).__round__(2)
    extra = bars.iloc[[row]].set_axis(pd.DatetimeIndex([late], name="date"), axis=0)
    extra["volume"] += 1.0
    return pd.concat([bars.iloc[: row + 1], extra, bars.iloc[row + 1 :]]), late


def _mixed(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    row = int(random.integers(low, high))
    interval = pd.Series(bars.index).diff().median()
    step = interval * float(random.choice([1 / 24, 1 / 8, 1 / 2, 5, 7, 24]))
    dates = bars.index.to_series()
    moved = dates.iloc[row] + step * np.arange(len(bars) - row)
    index = pd.DatetimeIndex([*dates.iloc[:row], *moved], name="date")
    return bars.set_axis(index, axis=0), None


def _duplicate(change: float) -> Callable[..., Spoilt]:
    def spoil(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
        row = int(random.integers(low, high))
        extra = bars.iloc[[row]].copy()
        extra["volume"] += change
        return pd.concat([bars.iloc[: row + 1], extra, bars.iloc[row + 1 :]]), bars.index[row]

    return spoil


def _unsorted(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    order = np.arange(len(bars))
    kind = random.choice(["swap", "reverse", "shuffle"] if high > low else ["reverse"])
    if kind == "swap":
        row = int(random.integers(low, high))
        order[[row, row + 3]] = order[[row + 3, row]]
    else:
        order = order[::-1] if kind == "reverse" else random.permutation(order)
    return bars.iloc[order], None


def _zone(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    zone = str(random.choice(ZONES))
    index = pd.DatetimeIndex(bars.index)
    if (index == index.normalize()).all():
        return bars.set_axis(index.tz_localize(zone), axis=0), None
    return bars.set_axis(index.tz_localize("UTC").tz_convert(zone), axis=0), None


def _unreadable(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    kind = random.integers(0, 5) if len(bars) > low else 0
    if kind == 0:
        return bars.rename(columns={"close": "clsoe"}), None
    if kind == 1:
        return bars.drop(columns="volume"), None
    if kind == 2:
        return bars.reset_index(drop=True), None
    if kind == 3:
        text = bars["close"].astype("object")
        text.iloc[low] = "1,234.5"
        return bars.assign(close=text), None
    return bars.assign(Close=1.0), None


def _too_few(bars: pd.DataFrame, random: Random, low: int, high: int) -> Spoilt:
    if random.random() < 0.5:
        return bars.iloc[: int(random.integers(0, 2))], None
    bars.loc[bars.index[1:], PRICES] = np.nan
    return bars, None


INJECTIONS = (
    Injection("missing value", 0, _one_value([*PRICES, "volume"], lambda random: np.nan)),
    Injection("missing values", 0, _many_missing),
    Injection("missing bar", 1, _no_prices),
    Injection(
        "infinite value", 0, _one_value([*PRICES, "volume"], lambda random: random.choice([np.inf, -np.inf]))
    ),
    Injection("price not above 0", 0, _one_value(PRICES, lambda random: -random.choice([0.0, 0.01, 37.6]))),
    Injection("negative volume", 0, _one_value(["volume"], lambda random: -random.uniform(1, 1e6))),
    Injection("high below low", 0, _crossed),
    Injection("open or close outside the bar", 0, _outside(0.011, 0.3)),
    Injection("open or close just outside the bar", 0, _outside(0.0011, 0.0095)),
    Injection("zero volume", 0, _one_value(["volume"], lambda random: 0.0)),
    Injection("unadjusted split", 0, _split, ("extreme jump",)),
    Injection("extreme jump", 0, _bad_tick),
    Injection("stale prices", 0, _stale),
    Injection("gap", 2, _gap),
    Injection("crowded bars", 3, _crowded),
    Injection("mixed intervals", 2, _mixed),
    Injection("duplicate bar", 3, _duplicate(0.0)),
    Injection("two bars at one date", 3, _duplicate(1.0)),
    Injection("too few bars", 4, _too_few),
    Injection("unsorted dates", 5, _unsorted),
    Injection("time zone", 6, _zone),
    Injection("not bars", 7, _unreadable),
)


GRADES = dict(zip(grades_table()["trouble"], grades_table()["grade"], strict=True))
SEEN_WITH_REFUSALS = {trouble.name for trouble in TROUBLES if trouble.values} | {"time zone"}
FATAL = {"not bars", "too few bars"}
REAL = {
    f"{name} {symbol}": dataset[symbol]
    for name, dataset in ((name, DataSet.bundled(name)) for name in BUNDLED)
    for symbol in dataset
}


def spoilt(
    bars: pd.DataFrame, injections: list[Injection], seed: int
) -> tuple[pd.DataFrame, list[tuple[Injection, pd.Timestamp | None]]]:
    """Bars with one or two troubles, each in a part of its own, and the dates that they are at."""
    random = np.random.default_rng(seed)
    parts = [(0.12, 0.35), (0.62, 0.85)]
    random.shuffle(parts)
    frame, dates = bars.copy(), []
    for injection, (low, high) in zip(sorted(injections, key=lambda one: one.stage), parts, strict=False):
        frame, date = injection.spoil(frame, random, int(low * len(frame)), int(high * len(frame)))
        dates.append((injection, date))
    return frame, dates


def rows_of(bars: pd.DataFrame) -> set[int]:
    """A hash of each row, with its date."""
    return set(pd.util.hash_pandas_object(bars))


@st.composite
def bad_frames(draw: st.DrawFn) -> tuple[pd.DataFrame, list[Injection], int]:
    real = REAL[draw(st.sampled_from(sorted(REAL)))]
    count = 1500 if real.index[1] - real.index[0] < pd.Timedelta("12h") else draw(st.integers(300, 600))
    start = draw(st.integers(0, len(real) - count))
    injections = draw(st.lists(st.sampled_from(INJECTIONS), min_size=1, max_size=2, unique=True))
    return real.iloc[start : start + count], injections, draw(st.integers(0, 2**32 - 1))


@settings(
    max_examples=300, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(case=bad_frames())
def test_each_of_300_bad_frames_is_mended_warned_about_or_refused(case):
    bars, injections, seed = case
    assert examine_bars(bars, "BAD").findings == ()
    frame, injected = spoilt(bars, injections, seed)
    before = frame.copy()
    examined = examine_bars(frame, "BAD")
    pd.testing.assert_frame_equal(frame, before)

    found = {finding.trouble: finding for finding in examined.findings}
    refused = [finding for finding in examined.findings if finding.grade == "refused"]
    assert found
    for injection, date in injected:
        names = {injection.trouble, *injection.names}
        if injection.trouble == "missing value":
            names.add("missing values")  # together with others there are too many
        fatal = any(name in found for name in FATAL - names)
        hidden = refused and not names & SEEN_WITH_REFUSALS
        if fatal or hidden:
            continue
        there = names & set(found)
        assert there, (names, set(found))
        moved = {"time zone", "crowded bars"} <= set(found) or any(one.spoil is _mixed for one in injections)
        if date is not None and not moved:
            assert date in {
                one for finding in examined.findings if finding.trouble in there for one in finding.dates
            }

    for finding in examined.findings:
        assert finding.grade == GRADES[finding.trouble]
        assert finding.text.startswith("BAD ")
        assert "\n" not in finding.text
        if finding.count:
            assert day_text(finding.dates[0]) in finding.text
            assert finding.value is not None
            if finding.trouble in ("price not above 0", "negative volume", "infinite value", "zero volume"):
                assert repr(finding.value) in finding.text

    assert (examined.bars is None) == bool(refused)
    if examined.bars is None:
        assert examined.reason == refused[0].text
    else:
        assert rows_of(examined.bars) <= rows_of(tidy(frame, "BAD").bars)  # no value is made up
        assert examined.bars.index.is_monotonic_increasing
        assert examined.bars.index.is_unique
        again = examine_bars(examined.bars, "BAD")
        assert {finding.grade for finding in again.findings} <= {"warned"}
        assert again.bars.equals(examined.bars)
        if all(finding.grade == "mended" for finding in examined.findings):
            assert rows_of(examined.bars) <= rows_of(bars)
            lost = len(bars) - len(examined.bars)
            dropped = ("missing bar", "missing value")
            assert lost == sum(found[name].count for name in dropped if name in found)

    strictly_fine = all(finding.grade == "warned" for finding in examined.findings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if strictly_fine:
            pd.testing.assert_frame_equal(check_bars(frame, "BAD"), frame)
            assert [warning.category for warning in caught] == [DLPluginWarning]
        else:
            with pytest.raises(BarsError, match="BAD"):
                check_bars(frame, "BAD")
            assert not caught


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.trouble)
@pytest.mark.parametrize("real", ["us-stocks IBM", "eurusd-1h EURUSD"])
def test_each_trouble_alone_is_found_under_its_name_and_grade(injection, real):
    bars = REAL[real].iloc[:1500]
    frame, _ = spoilt(bars, [injection], seed=5)
    findings = examine_bars(frame, "BAD").findings
    assert (injection.trouble, GRADES[injection.trouble]) in {
        (finding.trouble, finding.grade) for finding in findings
    }


def test_every_row_of_the_table_is_injected_or_is_about_several_symbols():
    assert {injection.trouble for injection in INJECTIONS} | {OTHER_INTERVAL.name} == set(GRADES)


@pytest.mark.parametrize("name", REAL)
def test_real_bars_have_nothing_to_report(name):
    assert examine_bars(REAL[name], name).findings == ()


def test_docs_hold_the_table_as_the_code_has_it(capsys):
    assert run(["data", "check", "--grades"]) == 0
    printed = capsys.readouterr().out
    assert f"```text\n{printed}```" in (Path(__file__).parents[2] / "docs" / "bars.md").read_text()
    for name, grade in GRADES.items():
        assert f"{name}: {grade}\n" in printed


def test_a_mend_does_not_depend_on_later_bars(us_stocks):
    bars = us_stocks["IBM"].iloc[:400]
    bars.iloc[[0, 1, 50, 51, 300], :4] = np.nan
    bars = pd.concat([bars.iloc[:120], bars.iloc[119:]])
    whole = examine_bars(bars, "IBM").bars
    for end in (60, 121, 250, 390):
        part = examine_bars(bars.iloc[:end], "IBM").bars
        pd.testing.assert_frame_equal(part, whole.loc[: bars.index[end - 1]])


def test_all_that_is_refused_is_told_at_once(bars):
    bars.iloc[2, 0] = -1.0
    bars.iloc[5, 4] = -2.0
    bars.iloc[7, 1] = np.inf
    bars.iloc[8, 1] = 0.1
    bars.iloc[9, 3] = 9.0
    assert [finding.text for finding in examine_bars(bars, "X").findings] == [
        "X has high inf at 2004-01-13; correct it or drop that bar",
        "X has open -1.0 at 2004-01-06; prices are above 0: correct it or drop that bar",
        "X has volume -2.0 at 2004-01-09; volume is 0 or more: correct it or drop that bar",
        f"X has high 0.1 below low {bars['low'].iloc[8]} at 2004-01-14; correct it or drop that bar",
        f"X has close {bars['close'].iloc[9]} outside low {bars['low'].iloc[9]} and high "
        f"{bars['high'].iloc[9]} at 2004-01-15; correct it or drop that bar",
    ]


def texts(frame: pd.DataFrame) -> list[str]:
    return [finding.text for finding in examine_bars(frame, "X").findings]


def test_what_is_mended_says_what_was_done(us_stocks):
    bars = us_stocks["IBM"].iloc[:200].copy()
    frame = bars.iloc[[0, *range(len(bars)), 150]].iloc[::-1].copy()
    frame.loc[frame.index.isin(pd.to_datetime(["2004-02-02", "2004-02-03"])), PRICES] = np.nan
    frame.loc["2004-03-02", "volume"] = np.nan
    zoned = frame.set_axis(frame.index.tz_localize("Asia/Tokyo"), axis=0)
    assert texts(zoned) == [
        "X has dates in the time zone Asia/Tokyo; days kept",
        "X has 2004-10-15 after 2004-10-18 (the first of 199); sorted by date",
        "X has no prices at 2004-02-02 (the first of 2); dropped",
        "X has volume nan at 2004-03-02; dropped",
        "X has two bars at 2004-01-02 (the first of 2); one kept",
    ]
    mended = examine_bars(zoned, "X").bars
    gone = pd.DatetimeIndex(["2004-02-02", "2004-02-03", "2004-03-02"])
    pd.testing.assert_frame_equal(mended, bars.drop(gone))


def test_clean_bars_come_back_bit_for_bit_and_fast(us_stocks):
    bars = us_stocks["AMD"]
    checked = check_bars(bars, "AMD")
    assert all(np.shares_memory(checked[name].to_numpy(), bars[name].to_numpy()) for name in bars)
    times = []
    for _ in range(5):
        start = perf_counter()
        check_bars(bars, "AMD")
        times.append(perf_counter() - start)
    assert min(times) < 0.1  # about 4 ms


def test_a_clock_change_makes_no_hour_come_twice_or_out_of_order():
    local = pd.date_range("2020-10-24", periods=96, freq="h", tz="Europe/Berlin")
    frame = REAL["eurusd-1h EURUSD"].iloc[:96].set_axis(local, axis=0)
    examined = examine_bars(frame, "X")
    assert [finding.text for finding in examined.findings] == [
        "X has dates in the time zone Europe/Berlin; turned into UTC"
    ]
    assert examined.bars.index.equals(local.tz_convert("UTC").tz_localize(None).as_unit("ns").rename("date"))
    written = frame.set_axis(local.strftime("%Y-%m-%d %H:%M:%S%z"), axis=0)
    pd.testing.assert_frame_equal(examine_bars(written, "X").bars, examined.bars)
    objects = frame.reset_index(drop=True).assign(date=[moment.to_pydatetime() for moment in local])
    offsets = objects["date"].map(lambda moment: pd.Timestamp(moment.isoformat()).to_pydatetime())
    pd.testing.assert_frame_equal(examine_bars(objects.assign(date=offsets), "X").bars, examined.bars)
    naive = frame.set_axis(local.tz_localize(None), axis=0)
    assert examine_bars(naive, "X").reason == (
        "X has two different bars at 2020-10-25 02:00:00 (open 1.04578 and 1.04664); keep the right one, "
        "or write local times with their zone"
    )


def test_days_written_with_offsets_of_summer_and_winter_stay_days(us_stocks):
    bars = us_stocks["AAPL"].iloc[:200]
    zoned = bars.index.tz_localize("America/New_York")
    for written in (zoned.strftime("%Y-%m-%d %H:%M:%S%z"), [str(moment) for moment in zoned], zoned):
        pd.testing.assert_frame_equal(examine_bars(bars.set_axis(written, axis=0), "X").bars, bars)


def test_half_hours_of_other_zones_become_utc(us_stocks):
    times = pd.date_range("2020-01-01 09:15", periods=13, freq="30min", tz="Asia/Kolkata")
    frame = us_stocks["AAPL"].iloc[:13].set_axis(times, axis=0)
    assert examine_bars(frame, "X").bars.index[0] == pd.Timestamp("2020-01-01 03:45")
