import re

import numpy as np
import pytest
import talib
from talib import abstract

from dlplugin.errors import ExpressionError
from dlplugin.indicators import Indicator, catalogue
from dlplugin.indicators.calls import FADING
from dlplugin.indicators.starts import START_DEPENDENT

FIRST_BARS = (1, 7, 50, 123, 333)
COMPARED = 700  # bars of the history that starts last are left alone, so that what fades has faded


def apart(function, bars):
    """The largest difference between histories of the same bars, in standard deviations of the values."""
    whole, worst = np.atleast_2d(function(bars)), 0.0
    spread = np.nanstd(whole, axis=1, keepdims=True)
    for first in FIRST_BARS:
        late = np.atleast_2d(function(bars.iloc[first:]))
        difference = np.abs(late - whole[:, first:]) / np.where(spread > 0, spread, 1.0)
        worst = max(worst, np.nanmax(difference[:, COMPARED:]))
    return worst


def raw(name):
    inputs = catalogue()[name].inputs

    def compute(bars):
        columns = {column: bars[column].to_numpy() for column in bars}
        columns["periods"] = columns["close"]
        if name in ("ACOS", "ASIN"):
            columns["close"] = columns["close"] / 1e4
        return np.array(abstract.Function(name)(columns), dtype=float)

    assert inputs
    return compute


@pytest.mark.parametrize("bars", ["stock", "currency"])
def test_the_functions_that_never_forget_their_first_bar_are_the_eleven_listed(bars, request):
    bars = request.getfixturevalue(bars).iloc[:2000]
    found = {name for name in talib.get_functions() if apart(raw(name), bars) > 1e-6}
    assert found == set(START_DEPENDENT)


def test_the_functions_whose_first_bar_fades_are_those_listed(stock, currency):
    def fades(name, bars):
        function = raw(name)
        skip = abstract.Function(name).lookback
        whole = np.atleast_2d(function(bars))
        spread = np.nanstd(whole, axis=1, keepdims=True)
        late = np.atleast_2d(function(bars.iloc[100:]))
        difference = np.abs(late - whole[:, 100:])[:, skip:] / np.where(spread > 0, spread, 1.0)
        return np.nanmax(difference) > 1e-7

    by_average = {"APO", "KDJ", "PPO", "PVO"}  # by the kind of average they have by default
    names = set(talib.get_functions()) - set(START_DEPENDENT)
    found = {name for name in names for bars in (stock, currency) if fades(name, bars.iloc[:1500])}
    assert found == FADING | by_average
    assert {name for name in names if catalogue()[name].unstable} == found


@pytest.mark.parametrize("bars", ["stock", "currency"])
@pytest.mark.parametrize("name", sorted(set(START_DEPENDENT) - {"VWAP"}))
def test_the_accepted_form_does_not_depend_on_the_start(name, bars, usages, request):
    bars = request.getfixturevalue(bars).iloc[:2000]
    for text in usages[name]:
        indicator = Indicator(text)
        assert apart(indicator.compute, bars) < 1e-9, text


def test_no_other_form_takes_the_start_out(stock):
    # why NVI and PVI need a ratio, the totals a difference, and VWAP has no form at all
    bars = stock.iloc[:2000]

    def difference(name):
        return lambda bars: raw(name)(bars)[5:] - raw(name)(bars)[:-5]

    def ratio(name):
        return lambda bars: raw(name)(bars)[5:] / raw(name)(bars)[:-5] - 1

    for name in ("NVI", "PVI", "VWAP"):
        assert apart(difference(name), bars) > 0.01, name
    for name in ("AD", "CUMSUM", "OBV", "PVT", "WAD", "VWAP", "MAXINDEX", "MININDEX"):
        with np.errstate(all="ignore"):
            assert apart(ratio(name), bars) > 0.001, name


@pytest.mark.parametrize("name", sorted(START_DEPENDENT))
def test_start_dependent_functions_are_refused_anywhere_else(name):
    call = f"{name}()" + (".min" if name == "MINMAXINDEX" else "")
    wrapper = START_DEPENDENT[name].wrapper
    other = "diff" if wrapper == "pct_change" else "pct_change"
    for text in (call, f"{call} / close", f"SMA({call}, 5)", f"lag({call}, 1)", f"{other}({call}, 5)"):
        with pytest.raises(ExpressionError, match=f"^{name} depends on where the history starts; write "):
            Indicator(text)
    if wrapper:
        with pytest.raises(ExpressionError):
            Indicator(f"{wrapper}({call} + 1, 5)")


@pytest.mark.parametrize("name", sorted(set(START_DEPENDENT) - {"VWAP"}))
def test_the_form_a_refusal_suggests_is_accepted(name):
    call = f"{name}()" + (".min" if name == "MINMAXINDEX" else "")
    with pytest.raises(ExpressionError) as refusal:
        Indicator(call)
    suggested = re.search(r"; write (.*\), 5\)|.*\.min\w*, 5\))", str(refusal.value)).group(1)
    assert Indicator(suggested).text == suggested.replace(", 5)", ", n=5)")


def test_the_refusals_of_start_dependent_functions_are_one_line():
    messages = {
        "OBV()": "OBV depends on where the history starts; write diff(OBV(close, volume), 5)",
        "diff(NVI())": "NVI depends on where the history starts; write pct_change(NVI(close, volume), 5)",
        "VWAP()": "VWAP depends on where the history starts; write VWMA(20) for an average of the last bars",
        "MAXINDEX(30)": "MAXINDEX depends on where the history starts; write "
        "diff(MAXINDEX(close, timeperiod=30), 5), or AROON(30).aroonup for the bars since the highest",
    }
    for text, message in messages.items():
        with pytest.raises(ExpressionError) as refusal:
            Indicator(text)
        assert str(refusal.value) == f"{message} (column {1 + text.index(message.split()[0])} of {text!r})"
