import pandas as pd
import pytest

from dlplugin.bars import DataSet


@pytest.fixture
def bars(us_stocks: DataSet) -> pd.DataFrame:
    """Ten real bars from Friday 2004-01-02 on, to be spoiled at will."""
    return us_stocks["AAPL"].iloc[:10].copy()
