import pandas as pd
import pytest

from dlplugin.report import Importance, Traded


def test_a_history_without_its_columns_is_refused(make):
    with pytest.raises(ValueError, match=r"needs|reindex") as refused:
        make(history=pd.DataFrame({"epoch": [1], "in_sample_loss": [1.0], "seconds": [0.1]}))

    assert str(refused.value) == (
        "history lacks the columns out_of_sample_loss, learning_rate; "
        "it needs epoch, in_sample_loss, out_of_sample_loss, learning_rate, seconds"
    )


def test_a_prediction_on_other_dates_than_the_bars_is_refused(apple):
    with pytest.raises(ValueError, match=r"needs|reindex") as refused:
        Traded(apple.iloc[-20:], pd.Series(1.0, index=apple.index[:3]), "ROC(5)")

    assert str(refused.value) == (
        "prediction has 3 values on other dates than the 20 bars; reindex it to these, with NaN for none"
    )


def test_an_importance_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="importance") as refused:
        Importance(pd.DataFrame({"output": ["a"], "input": ["b"], "rise": [1.0]}))

    assert str(refused.value) == "importance lacks the columns error; it needs output, input, rise, error"
