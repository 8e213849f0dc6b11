import json
import math

import pandas as pd

from dlplugin.evaluation.calibration import Calibration
from dlplugin.evaluation.comparison import Comparison
from dlplugin.evaluation.groups import GroupScores
from dlplugin.evaluation.metrics import Scores
from dlplugin.evaluation.plain import to_plain
from dlplugin.evaluation.ranges import RangeCell, RangeRow
from dlplugin.evaluation.results import OutputResult, SpanScores


def test_a_result_goes_into_json_and_back_with_nan_as_null():
    day, hour = pd.Timestamp("2001-02-03"), pd.Timestamp("2001-02-05 21:00")
    scores = {"model": Scores(1.5, 0.1, math.nan, -0.2, 0.5), "zero": Scores(1.0, 0.0, 0.1, 0.2, 0.3)}
    group = GroupScores("year", "2001", 7, 2, {"gain": math.nan, "correlation": 0.5}, {"gain": math.nan})
    span = SpanScores(
        "in-sample",
        day,
        hour,
        7,
        2,
        scores,
        errors=scores,
        calibration=Calibration(0.5, math.nan, 0.1, 0.2, -1.0),
        groups=(group,),
        below=(0.1, math.nan),
    )
    result = OutputResult(
        spans=(span,),
        comparisons=(Comparison("zero", -0.5, math.nan, beaten=False),),
        ranges={
            "width": (
                RangeRow(-math.inf, 0.1, (RangeCell(3, 1 / 3, math.nan),)),
                RangeRow(0.1, math.inf, (RangeCell(0, math.nan, math.nan),)),
                RangeRow(math.nan, math.nan, (RangeCell(1, 2.0, 0.5),)),
            )
        },
    )
    written = json.dumps(result.to_dict(), allow_nan=False)
    assert '"correlation": null' in written
    assert '"start": "-inf"' in written
    back = OutputResult.from_dict(json.loads(written))
    assert repr(back) == repr(result)


def test_only_numbers_that_json_does_not_know_become_null_or_text():
    plain = {"a": [1, 0.5, math.inf, -math.inf, math.nan], "b": (True, "nan", None)}
    assert to_plain(plain) == {"a": [1, 0.5, "inf", "-inf", None], "b": [True, "nan", None]}
