import numpy as np

from dlplugin.indicators import Indicator, catalogue
from dlplugin.indicators.chart import terminal_chart


def test_a_chart_has_the_largest_value_on_top_and_a_gap_where_there_is_none():
    assert terminal_chart(np.array([0.0, 1.0, np.nan, 2.0]), height=3) == ["2 │   █", "1 │ ▄ █", "0 │▁█ █"]
    assert terminal_chart(np.array([5.0, 5.0]), height=1) == ["5 │▁▁"]
    assert terminal_chart(np.array([np.nan])) == []


def test_every_entry_but_one_without_an_accepted_form_has_an_example(stock, others):
    for name, entry in catalogue().items():
        if name == "VWAP":
            assert entry.example == ""
            continue
        values = Indicator(entry.example).compute(stock, {"SPY": others["IBM"]})
        assert np.isfinite(values).any(), name
