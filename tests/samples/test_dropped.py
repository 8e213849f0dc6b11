"""The rows with dropped samples are those of a definition that drops nothing."""

from dataclasses import replace

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.samples import Samples, build_samples, resolve_split, rows_with_dropped

INPUTS = [dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=2, increment=3)]


def output(look_ahead: int, drop: int | str | None) -> dl.Output:
    return dl.Output(f"ROC({look_ahead})", look_ahead=look_ahead, classes=[-1, 1], drop=drop)


def built(
    outputs: list[dl.Output], dataset: dl.DataSet, split: dl.Split, other: dl.DataSet | None
) -> Samples:
    definition = Definition("one", INPUTS, outputs, dl.MLP(hidden=[4]))
    spans = resolve_split(dataset, split, other)
    return build_samples(definition, dataset, spans, validation=other)


@pytest.mark.filterwarnings("ignore::dlplugin.errors.DLPluginWarning")
@pytest.mark.parametrize("drops", [("middle",), (0,), ("middle", 2)])
@pytest.mark.parametrize("kind", ["dates", "embargo", "held out", "random", "dataset"])
def test_rows_are_those_of_the_same_outputs_without_a_dropped_class(
    us_stocks: dl.DataSet, kind: str, drops: tuple[int | str, ...]
) -> None:
    dataset, other, split = us_stocks.subset(["AAPL", "IBM"]), None, dl.Split(0.6, 0.2)
    if kind == "embargo":
        split = dl.Split(0.6, 0.2, embargo=10)
    elif kind == "held out":
        split = dl.Split(0.6, 0.2, held_out=["IBM"])
    elif kind == "random":
        split = dl.Split(0.6, 0.0, random=0.3)
    elif kind == "dataset":
        other = us_stocks.subset(["IBM", "MSFT"])
    outputs = [output(5 - index, drop) for index, drop in enumerate(drops)]
    whole = [output(5 - index, None) for index in range(len(drops))]
    samples, every = built(outputs, dataset, split, other), built(whole, dataset, split, other)
    for span, rows in every.rows.items():
        found = rows_with_dropped(samples, span)
        np.testing.assert_array_equal(found, rows)
        assert len(found) == len(samples.rows[span]) + samples.counts[span].dropped
        assert samples.counts[span].dropped > 0
        np.testing.assert_array_equal(rows_with_dropped(every, span), rows)


def test_an_output_that_keeps_all_samples_leaves_nothing_to_add(two_stocks: dl.DataSet) -> None:
    samples = built([output(5, "middle"), dl.Output("ROC(1)", look_ahead=1)], two_stocks, dl.Split(), None)
    assert rows_with_dropped(samples, "in-sample") is samples.rows["in-sample"]


def test_samples_of_fewer_rows_get_back_only_what_was_dropped(two_stocks: dl.DataSet) -> None:
    samples = built([output(5, "middle")], two_stocks, dl.Split(), None)
    rows = samples.rows["in-sample"]
    fewer = replace(samples, rows=samples.rows | {"in-sample": rows[::2]})
    lost = np.setdiff1d(rows_with_dropped(samples, "in-sample"), rows_with_dropped(fewer, "in-sample"))
    np.testing.assert_array_equal(lost, rows[1::2])
