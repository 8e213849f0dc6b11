"""Everything the catalogue ships keeps what `check_indicator` asks of others."""

import pytest

from dlplugin.indicators import catalogue
from dlplugin.testing import check_indicator

FORMS = {
    "of": ['of("SPY", ROC(5))', 'of("SPY", EMA(close, 5), closes="later")'],
    "on": ['on("1w", RSI(3))', 'on("1mo", close)'],
    "delayed": ['delayed(close, "30h")', 'delayed(of("SPY", on("1w", close)), "2d")'],
}


@pytest.mark.slow
def test_every_catalogued_function_passes(usages):
    checked = 0
    for name in catalogue():
        for text in FORMS.get(name) or usages[name]:
            check_indicator(text)
            checked += 1
    assert checked > 230
