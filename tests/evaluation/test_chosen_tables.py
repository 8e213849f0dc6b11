import re

import pytest

from dlplugin.errors import DefinitionError, UnknownNameError
from dlplugin.evaluation import Evaluation, evaluate


@pytest.fixture
def found(panel):
    made = panel(1, look_ahead=5, days=(120, 60), symbols=3)
    return evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample)


@pytest.mark.parametrize("by", ["width", "count"])
def test_a_chosen_range_of_a_fresh_evaluation_counts_all_samples(found, by):
    frame = found.table(rows=4, by=by, low=-0.1, high=0.1).frame
    assert len(frame) == 6
    assert frame["range_start"].iloc[1] == -0.1
    assert frame["range_end"].iloc[-2] == 0.1
    for name, scores in zip(("in_sample", "out_of_sample"), found.scores(), strict=True):
        assert frame[f"{name}_count"].sum() == scores.samples


@pytest.mark.parametrize("by", ["width", "count"])
def test_a_stored_evaluation_has_both_tables_of_ten_rows(found, by):
    stored = Evaluation.from_json(found.to_json())
    assert str(stored.table(by=by)) == str(found.table(by=by))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"rows": 12},
            "a stored evaluation has two tables of 10 rows, none of 12 rows; for others: "
            "model.evaluate(dataset).table(...)",
        ),
        (
            {"low": -1, "high": 2.5},
            "a stored evaluation has two tables of 10 rows, none between -1 and 2.5; for others: "
            "model.evaluate(dataset).table(...)",
        ),
        ({"rows": 51}, "rows is 51; a table has 2 to 50"),
        ({"rows": "20"}, "rows is '20'; a table has 2 to 50"),
        ({"high": 1}, "high is 1, but low is not given; give both, or neither"),
    ],
)
def test_tables_that_a_stored_evaluation_lacks_are_refused(found, asked, message):
    stored = Evaluation.from_json(found.to_json())
    with pytest.raises(DefinitionError) as refused:
        stored.table(**asked)
    assert str(refused.value) == message


def test_an_unknown_way_to_cut_is_refused(found):
    message = "unknown by 'counts'; did you mean 'count'? there are: width, count"
    with pytest.raises(UnknownNameError, match=f"^{re.escape(message)}$"):
        found.table(by="counts")
