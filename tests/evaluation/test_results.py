import json
import math

import pandas as pd

from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.ranges import Cells
from dlplugin.evaluation.results import OutputResult, SpanScores, without_nan


def test_a_result_goes_into_json_and_back_with_nan_as_null():
    day, hour = pd.Timestamp("2001-02-03"), pd.Timestamp("2001-02-05 21:00")
    scores = {"model": Scores(1.5, 0.1, math.nan, -0.2, 0.5), "zero": Scores(1.0, 0.0, 0.1, 0.2, 0.3)}
    result = OutputResult(
        spans=(SpanScores("in-sample", day, hour, 7, 2, scores),),
        comparisons=(Comparison("zero", -0.5, math.nan, beaten=False),),
        cells=Cells(-3, -2, 2, ((1, 2, 3, 0), (0, 0, 0, 1)), ((0.1, 0.2, 1 / 3, 0.0), (0.0, 0.0, 0.0, 2.5))),
    )
    written = json.dumps(without_nan(result.to_dict()), allow_nan=False)
    assert '"correlation": null' in written
    back = OutputResult.from_dict(json.loads(written))
    assert repr(back) == repr(result)


def test_only_numbers_that_json_does_not_know_become_null():
    plain = {"a": [1, 0.5, math.inf, -math.inf, math.nan], "b": (True, "nan", None)}
    assert without_nan(plain) == {"a": [1, 0.5, None, None, None], "b": [True, "nan", None]}
