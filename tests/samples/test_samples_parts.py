"""What a purge counts, the order inside a window, and what the fingerprint of samples covers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.engines import RowReader
from dlplugin.samples import Samples, build_samples, row_layout


def test_only_samples_with_known_inputs_count_as_purged(us_stocks: dl.DataSet, describe) -> None:
    definition = describe(".").definition
    spans = dl.resolve_split(us_stocks.subset(["AAPL"]), dl.Split())
    index = us_stocks["IBM"].index
    listed = int(index.get_loc(spans["in-sample"].end)) - 10  # still warming up at the boundary
    dataset = dl.DataSet.from_frames(
        "late", {"AAPL": us_stocks["AAPL"], "IBM": us_stocks["IBM"].iloc[listed:]}
    )
    counts = build_samples(definition, dataset, spans).counts
    assert [counts[name].purged for name in counts] == [4, 8, 0]


def test_a_window_goes_from_the_oldest_bar_to_the_newest_with_a_bars_inputs_side_by_side() -> None:
    inputs = [dl.Input(text, depth=3, increment=2) for text in ("close", "open")]
    layout = row_layout(Definition("windows", inputs, [dl.Output("close", look_ahead=1)], dl.LSTM()))
    assert layout.shape == (3, 2)
    matrix = torch.arange(40, dtype=torch.float32).reshape(20, 2)
    read = RowReader(layout, 2)(matrix, torch.tensor([9, 15]))
    for window, t in zip(read, (9, 15), strict=True):
        assert window.tolist() == [matrix[t - 4].tolist(), matrix[t - 2].tolist(), matrix[t].tolist()]


@pytest.fixture(scope="module")
def built(two_stocks: dl.DataSet, describe) -> Samples:
    return build_samples(describe(".").definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))


@pytest.mark.parametrize("part", ["matrix", "targets", "in-sample", "out-of-sample", "holdout"])
def test_the_fingerprint_changes_with_each_number_that_a_training_reads(built: Samples, part: str) -> None:
    row = built.rows["out-of-sample"][7]
    if part in built.rows:
        other = replace(built, rows=built.rows | {part: built.rows[part][1:]})
    else:
        altered = getattr(built, part).copy()
        altered[row, 1] = np.nextafter(altered[row, 1], np.float32(9))
        other = replace(built, **{part: altered})
    assert other.fingerprint != built.fingerprint
    assert replace(built).fingerprint == built.fingerprint
