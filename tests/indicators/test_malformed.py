"""Text that is no indicator: one line, where the trouble is, and what would be right."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.errors import ExpressionError
from dlplugin.indicators import parse

POSITION = re.compile(r" \(column (\d+) of (.+)\)$")

# text, and the column of the trouble in it
LISTED = {
    "RSI(14": 4, "RSI 14": 5, "RSI(1)": 5, "close / RSI(1)": 13, "SMA(RSI(0), 5)": 9, "SMA(close, 5": 4,
    "RSI(close, 14, 3)": 1, "RSI(close, period=14)": 19, "SMA(SMA(SMA(cloze(), 5), 5), 5)": 13, "clos + RSJ(14)": 8,
    "close + BBANDS(20)": 9, "close - BBANDS(20).uppr": 9, "1 < close < 2": 1, "close % 2": 9, "close & open": 9,
    "close[0]": 1, "high - close[1]": 8, "close.iloc": 1, "close; open": 6, "close = 5": 7, "x := close": 3,
    "close == 'a'": 10, "max(close)": 1, "max(close, 'open')": 12, "lag(close, -3)": 12, "lag(close, n=-3)": 14,
    "RSI(14) + OBV()": 11, "SMA(OBV(), 5)": 5, "VWAP()": 1, "of()": 1, "of(close)": 1, "of('SPY')": 1,
    "of(SPY, close)": 4, "of(5, close)": 4, "of('SPY', 5)": 11, "of('SPY', 'close')": 11, "of('', close)": 4,
    "of('SPY', close, -1)": 18, "of('SPY', close, max_age=0)": 26, "of('SPY', close, max_age='7')": 26,
    "of('SPY', close, closes='earlier')": 25, "of('SPY', close, closes=5)": 25, "of('SPY', close, clsoes='same')": 25,
    "of('SPY', close, 7, 'same', 1)": 1, "of('SPY', of('QQQ', close))": 11, "of('SPY', close).close": 1,
    "of('SPY', symbol='QQQ', x=close)": 18, "on('1w', of('SPY', close))": 10, "on('1w', on('1mo', close))": 10,
    "on(RSI(14), '1w')": 4, "on('weekly', close)": 4, "on('7h', close)": 4, "on('1w')": 1, "on('1w', 5)": 10,
    "on('1w', RSI(1))": 14, "on(1, close)": 4, "on('1s', close)": 4, "delayed(close)": 1, "delayed(close, 2)": 16,
    "delayed(close, '2 days')": 16, "delayed(close, '1mo')": 16, "delayed(5, '2d')": 9, "delayed('2d', close)": 9,
    "delayed(close, '0d')": 16, "RSI('14')": 5, "'close'": 1, "RSI(matype=EMA)": 12, "BBANDS(matype=XMA).upper": 15,
    "close +": 8, "+": 2, "()": 1, "close ** ": 9, "RSI(14)) + 1": 8, "(close": 1, "close + * open": 9, "": 1,
    "Close": 1, "RSI(Close, 14)": 5, "close + é": 9, "close\\": 6, "not close": 1, "close and open": 1,
    "close if open else low": 1, "lambda x: x": 1, "[close]": 1, "{close}": 1, "f'{close}'": 1, "close, open": 1,
    "RSI(*close)": 5, "RSI(**close)": 5, "__import__('os')": 1, "close + True": 9, "None": 1, "5 + 5": 1,
    "close * 1e999": 9, "close + 1j": 9, "MAMA(2).mama": 6, "STOCH(5).slow": 1, "day_of_week(5)": 1, "close()": 1,
    "close.shift(1)": 1, "log(0)": 1, "zscore(close, 1)": 15, "zscore(close)": 1, "rank(close, n='5')": 15,
    "RSI(1.5)": 5, "lag(close, n=1, n=2)": 17, "SMA(5, close)": 1,
}  # fmt: skip


@pytest.mark.parametrize("text", LISTED)
def test_the_column_of_the_trouble_is_told(text):
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    message = str(refusal.value)
    found = POSITION.search(message)
    assert found is not None, message
    assert int(found[1]) == LISTED[text], message
    said = message[: found.start()]
    assert "\n" not in message
    assert re.search(r"; |must be|did you mean|takes|needs|is given twice|leave|write|such as", said), message


PARTS = [
    "RSI(14)",
    "close",
    "SMA(close, 5)",
    'of("SPY", close)',
    'on("1w", RSI(3))',
    'delayed(volume, "2d")',
    "2",
]
BREAKS = [
    "@",
    "RSJ(14)",
    "close[1]",
    "RSI(1)",
    "?",
    "'text'",
    "of(SPY, close)",
    'on("1x", close)',
    "lag(close, -1)",
]
BREAKS += [
    'delayed(close, "-1d")',
    "BBANDS(20)",
    "close.up",
    "not close",
    "[1]",
    "lambda: 1",
    "Close",
    "RSI(14).x",
    "OBV()",
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(PARTS), max_size=4),
    st.sampled_from(BREAKS),
    st.lists(st.sampled_from(PARTS), max_size=2),
)
def test_one_wrong_part_among_right_ones_is_a_one_line_refusal_that_points_into_the_text(
    before, wrong, after
):
    text = " + ".join([*before, wrong, *after])
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    message = str(refusal.value)
    found = POSITION.search(message)
    assert "\n" not in message
    assert found is not None, message
    start = len(" + ".join([*before, ""])) if before else 0
    if "cannot be read" not in message and "ends too early" not in message:
        assert start < int(found[1]) <= start + len(wrong) + 1, (text, message)


def test_more_than_a_hundred_are_listed():
    assert len(LISTED) >= 100
