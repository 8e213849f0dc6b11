import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlplugin.errors import ExpressionError, UnknownNameError
from dlplugin.indicators import parse
from dlplugin.indicators.calls import Pick, TalibCall
from dlplugin.indicators.nodes import Column, Number
from dlplugin.indicators.operators import Arithmetic, Comparison, Negative

CANONICAL = {
    "RSI(14)": "RSI(close, timeperiod=14)",
    "RSI()": "RSI(close, timeperiod=14)",
    "RSI(timeperiod=14)": "RSI(close, timeperiod=14)",
    "RSI(close, 14)": "RSI(close, timeperiod=14)",
    "RSI(14.0)": "RSI(close, timeperiod=14)",
    "SMA(RSI(14), 5)": "SMA(RSI(close, timeperiod=14), timeperiod=5)",
    "SMA(volume, 20)": "SMA(volume, timeperiod=20)",
    "ATR(14)": "ATR(high, low, close, timeperiod=14)",
    "ATR(high, low, close, 14)": "ATR(high, low, close, timeperiod=14)",
    "CORREL(20)": "CORREL(high, low, timeperiod=20)",
    "CORREL(close, volume, 20)": "CORREL(close, volume, timeperiod=20)",
    "ADD(close, 1)": "ADD(close, 1)",
    "BBANDS(20).upper": "BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, matype=SMA).upperband",
    "BBANDS(20, 2, 2, EMA).middle": "BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, "
    "matype=EMA).middleband",
    "BBANDS(matype='EMA').lower": "BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, matype=EMA).lowerband",
    "BBANDS(matype=1).lower": "BBANDS(close, timeperiod=20, nbdevup=2, nbdevdn=2, matype=EMA).lowerband",
    "MACD().hist": "MACD(close, fastperiod=12, slowperiod=26, signalperiod=9).macdhist",
    "close / SMA(20) - 1": "close / SMA(close, timeperiod=20) - 1",
    "diff(log(close))": "diff(log(close), n=1)",
    "zscore(volume, 20)": "zscore(volume, n=20)",
    "diff(OBV(), 5)": "diff(OBV(close, volume), n=5)",
    "month()": "month",
    "raw_close": "raw_close",
    " close\n\t+ open ": "close + open",
    "+close": "close",
    "((close))": "close",
    "(close - open) - low": "close - open - low",
    "close - (open - low)": "close - (open - low)",
    "close / (open * low)": "close / (open * low)",
    "-close ** 2": "-close ** 2",
    "(-close) ** 2": "(-close) ** 2",
    "-5 * close": "-5 * close",
    "-0.0 * close": "0 * close",
    "(-5) ** 2 * close": "(-5) ** 2 * close",
    "close ** -2": "close ** -2",
    "close ** open ** 2": "close ** open ** 2",
    "(close ** open) ** 2": "(close ** open) ** 2",
    "(close > open) == (high > low)": "(close > open) == (high > low)",
    "0x10 * close + 1e-5": "16 * close + 1e-05",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_text_spells_every_input_and_parameter_out(text):
    assert parse(text).text == CANONICAL[text]
    assert parse(CANONICAL[text]) == parse(text)


def test_operators_bind_as_in_python():
    for text in (
        "-close ** 2 * 3 + 1",
        "close - 1 - 2",
        "close / 2 / 3",
        "2 ** close ** 2",
        "close + 1 > 2 * open",
    ):
        assert ast.dump(ast.parse(parse(text).text)) == ast.dump(ast.parse(text))


def test_trees_are_made_of_steps():
    close = Column("close")
    assert parse("close - 1") == Arithmetic("-", close, Number(1.0))
    assert parse("close >= 1") == Comparison(">=", close, Number(1.0))
    assert parse("-close") == Negative(close)
    assert parse("--5 + close") == Arithmetic("+", Number(5.0), close)
    bands = TalibCall("BBANDS", (close,), (20, 2.0, 2.0, 0))
    assert parse("BBANDS().upper") == Pick(bands, "upperband")


def test_random_trees_print_as_text_that_parses_to_them(random_trees):
    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(random_trees(100_000, 4))
    def check(tree):
        assert parse(tree.text) == tree
        assert parse(tree.text).text == tree.text

    check()


_WORDS = ["close", "RSI", "SMA", "EMA", "lag", "(", ")", ",", "+", "-", "**", "1", "0.5", "1e9", ".", "upper"]
_WORDS += [
    "BBANDS",
    "<",
    "==",
    "=",
    "timeperiod",
    "'",
    "[",
    "]",
    "lambda",
    ":",
    "True",
    "if",
    "\n",
    "é",
    "*",
    "~",
]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_is_an_indicator_or_a_one_line_refusal(text):
    try:
        tree, refusal = parse(text), ""
    except ExpressionError as error:
        tree, refusal = None, str(error)
    assert tree is None or parse(tree.text) == tree
    assert "\n" not in refusal
    assert not refusal.endswith(".")


REFUSED = {
    "": "an indicator cannot be empty; write one, such as RSI(14) (column 1 of '')",
    "5": "5 uses no column of the bars; an indicator must, such as close (column 1 of '5')",
    "2 * 3": "2 * 3 uses no column of the bars; an indicator must, such as close (column 1 of '2 * 3')",
    "RSI": "RSI is a function; write RSI(close, timeperiod=14) (column 1 of 'RSI')",
    "close + True": "True is not a number; write 1 or 0 (column 9 of 'close + True')",
    "close + 'x'": "'x' is not a number; write a number, a column or a call (column 9 of \"close + 'x'\")",
    "close * 1e999": "the number is too large; the largest is about 1.8e308 (column 9 of 'close * 1e999')",
    "close * 1j": "1j is not a number; write a number, a column or a call (column 9 of 'close * 1j')",
    "close[1]": "square brackets are not part of the language; an earlier bar is lag(close, 1) (column 1 of 'close[1]')",
    "close and open": "and, or are not part of the language; multiply comparisons for and, take max for or (column 1 of 'close and open')",
    "1 < close < 2": "chained comparison; write (1 < x) * (x < 2) for 1 < x < 2 (column 1 of '1 < close < 2')",
    "close % 2": "unknown operator before this place; the operators are + - * / ** and < <= > >= == != (column 9 of 'close % 2')",
    "lambda: close": "lambda is not part of the language; the operators are + - * / ** and < <= > >= == != (column 1 of 'lambda: close')",
    "close if 1 else open": "if is not part of the language; multiply by a comparison (column 1 of 'close if 1 else open')",
    "close.upper": "only a call has outputs; .upper follows no call (column 1 of 'close.upper')",
    "close.shift(1)": "only a function's name can be called, such as SMA(close, 20) (column 1 of 'close.shift(1)')",
    "close()": "close is a column, not a function; write it without () (column 1 of 'close()')",
    "RSI(*close)": "a star before an argument is not part of the language; write each argument (column 5 of 'RSI(*close)')",
    "RSI(**close)": "two stars are not part of the language; write each parameter (column 5 of 'RSI(**close)')",
    "close, open": "a comma stands outside a call; one expression gives one value (column 1 of 'close, open')",
    "close × 2": "'×' is not part of the language; the operators are + - * / ** and < <= > >= == != (column 7 of 'close × 2')",
    "close # it": "'#' is not part of the language; the operators are + - * / ** and < <= > >= == != (column 7 of 'close # it')",
    "close +": "the expression ends too early; write one such as close / SMA(20) - 1 (column 8 of 'close +')",
    "SMA(20))": "the expression cannot be read: unmatched ')'; write one such as close / SMA(20) - 1 (column 8 of 'SMA(20))')",
    "close "
    + "+ close" * 20
    + " + [1]": "a list is not part of the language; the operators are + - * / ** and < <= > >= == != (column 150 of '...e+ close+ close+ close + [1]...')",
    "-" * 200
    + "close": "the expression nests more than 100 steps deep; split it up (column 101 of '...--------------------------------------------------...')",
    "-" * 3000
    + "close": "the expression nests too deep or holds too long a number; split it up (column 1 of '...--------------------------------------------------...')",
    "close + " * 600
    + "close": "the expression has 4805 characters; at most 4000 are read (column 4001 of '... close + close + close + close + close + close + c...')",
    "RSI(1)": "timeperiod of RSI must be a whole number from 2 to 100000, not 1 (column 5 of 'RSI(1)')",
    "RSI(14.5)": "timeperiod of RSI must be a whole number from 2 to 100000, not 14.5 (column 5 of 'RSI(14.5)')",
    "RSI(1000000000000)": "timeperiod of RSI must be a whole number from 2 to 100000, not 1000000000000 (column 5 of 'RSI(1000000000000)')",
    "RSI(close, open)": "timeperiod of RSI must be a whole number from 2 to 100000, not open (column 12 of 'RSI(close, open)')",
    "RSI(7 * 2)": "RSI is given 7 * 2, which uses no column of the bars; write RSI(close, timeperiod=14) (column 1 of 'RSI(7 * 2)')",
    "RSI(14, 15)": "RSI takes 1 parameter, not 2; write RSI(close, timeperiod=14) (column 1 of 'RSI(14, 15)')",
    "RSI(14, timeperiod=14)": "timeperiod of RSI is given twice (column 20 of 'RSI(14, timeperiod=14)')",
    "RSI(timeperiod=1, timeperiod=2)": "timeperiod of RSI is given twice (column 19 of 'RSI(timeperiod=1, timeperiod=2)')",
    "HT_DCPERIOD(14)": "HT_DCPERIOD is given 14, which uses no column of the bars; write HT_DCPERIOD(close) (column 1 of 'HT_DCPERIOD(14)')",
    "ATR(close, 14)": "ATR takes 3 inputs or none, not 1; write ATR(high, low, close, timeperiod=14) (column 1 of 'ATR(close, 14)')",
    "LN(SMA)": "SMA stands where an input belongs; write SMA(...) (column 4 of 'LN(SMA)')",
    "MAVP(14)": "MAVP takes 2 inputs, not 0; write MAVP(close, periods, minperiod=2, maxperiod=30, matype=SMA) (column 1 of 'MAVP(14)')",
    "MAVP(close, open, 30, 2)": "TA-Lib cannot compute MAVP with minperiod=30, maxperiod=2, matype=SMA (column 1 of 'MAVP(close, open, 30, 2)')",
    "MAMA(2).mama": "fastlimit of MAMA must be a number from 0.01 to 0.99, not 2 (column 6 of 'MAMA(2).mama')",
    "MA(20, 14)": "matype of MA must be one of SMA, EMA, WMA, DEMA, TEMA, TRIMA, KAMA, MAMA, T3, HMA, DISABLED, DEFAULT, ZLEMA, RMA, not 14 (column 8 of 'MA(20, 14)')",
    "BBANDS(20)": "BBANDS has several outputs; add one of .upperband, .middleband, .lowerband after the call (column 1 of 'BBANDS(20)')",
    "BBANDS(20).uper": "BBANDS has no output 'uper'; did you mean 'upper'? it has .upperband, .middleband, .lowerband (column 1 of 'BBANDS(20).uper')",
    "RSI(14).value": "RSI has one output; leave .value out (column 1 of 'RSI(14).value')",
    "lag(close, 0)": "n of lag must be a whole number from 1 to 100000, not 0 (column 12 of 'lag(close, 0)')",
    "lag(close, -1)": "n of lag must be a whole number from 1 to 100000, not -1; bars to come are not known (column 12 of 'lag(close, -1)')",
    "diff(close, n=-5)": "n of diff must be a whole number from 1 to 100000, not -5; bars to come are not known (column 15 of 'diff(close, n=-5)')",
    "lag(close, 1.5)": "n of lag must be a whole number from 1 to 100000, not 1.5 (column 12 of 'lag(close, 1.5)')",
    "lag(5)": "lag takes 1 input, not 0; write lag(x, n=1) (column 1 of 'lag(5)')",
    "zscore(close)": "zscore needs n; write zscore(x, n) (column 1 of 'zscore(close)')",
    "min(close)": "min takes 2 inputs or more, not 1; write min(x, y) (column 1 of 'min(close)')",
    "log(5)": "log is given 5, which uses no column of the bars; write log(x) (column 1 of 'log(5)')",
}

UNKNOWN = {
    "RSJ(14)": "unknown indicator 'RSJ'; did you mean 'RSI'? list them with: dlplugin indicators (column 1 of 'RSJ(14)')",
    "rsi(14)": "unknown indicator 'rsi'; did you mean 'RSI'? list them with: dlplugin indicators (column 1 of 'rsi(14)')",
    "zscor(close, 20)": "unknown indicator 'zscor'; did you mean 'zscore'? list them with: dlplugin indicators (column 1 of 'zscor(close, 20)')",
    "__import__('os')": "unknown indicator '__import__'; list them with: dlplugin indicators (column 1 of \"__import__('os')\")",
    "Close": "unknown column 'Close'; did you mean 'close'? (column 1 of 'Close')",
    "_close": "unknown column '_close'; did you mean 'close'? (column 1 of '_close')",
    "RSI(period=14)": "RSI has no parameter 'period'; did you mean 'timeperiod'? write RSI(close, timeperiod=14) (column 12 of 'RSI(period=14)')",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refusals_say_what_is_wrong_and_what_would_be_right(text):
    with pytest.raises(ExpressionError) as refusal:
        parse(text)
    assert str(refusal.value) == REFUSED[text]


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown_names_are_answered_with_the_nearest_known_one(text):
    with pytest.raises(UnknownNameError) as refusal:
        parse(text)
    assert str(refusal.value) == UNKNOWN[text]


@pytest.mark.parametrize("thing", [None, 14, b"RSI(14)", ["RSI(14)"]])
def test_what_is_not_text_is_refused(thing):
    with pytest.raises(ExpressionError, match="an indicator is written as text, such as 'RSI\\(14\\)', not "):
        parse(thing)
