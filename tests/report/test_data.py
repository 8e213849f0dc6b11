import pandas as pd
import pytest


def test_a_history_without_its_columns_is_refused(make):
    with pytest.raises(ValueError, match=r"needs|reindex") as refused:
        make(history=pd.DataFrame({"epoch": [1], "in_sample_loss": [1.0], "seconds": [0.1]}))

    assert str(refused.value) == (
        "history lacks the columns out_of_sample_loss, learning_rate; "
        "it needs epoch, in_sample_loss, out_of_sample_loss, learning_rate, seconds"
    )


def test_a_prediction_on_other_dates_than_the_bars_is_refused(make, apple):
    with pytest.raises(ValueError, match=r"needs|reindex") as refused:
        make(bars=20, prediction=pd.Series(1.0, index=apple.index[:3]))

    assert str(refused.value) == (
        "prediction has 3 values on other dates than the 20 bars of chart_bars; "
        "reindex it to these, with NaN for none"
    )
