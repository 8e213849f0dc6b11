"""Classes as targets: their numbers, how often each came, and the words for it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlplugin.definition import Definition
from dlplugin.errors import SamplesError
from dlplugin.samples.features import IntArray
from dlplugin.samples.scaling import ColumnScaling

__all__ = ["balance_lines", "label_balance", "refuse_empty_classes", "targets_of"]

FloatArray = NDArray[np.float64]
Targets = NDArray[np.float32]


def targets_of(definition: Definition, scaling: ColumnScaling, outputs: FloatArray) -> Targets:
    """What a training compares with the network's columns.

    Args:
        definition: Gives the outputs.
        scaling: Of the outputs; classes are not scaled.
        outputs: (..., O) what came, in the outputs' own units.

    Returns:
        (..., O): the scaled number; or the number of the class, from 0, the lowest; NaN where it is
        unknown, or in the dropped class.
    """
    targets = scaling.apply(outputs)
    for index, output in enumerate(definition.outputs):
        if output.labels:
            targets[..., index] = output.classify(outputs[..., index])
    return targets


def label_balance(definition: Definition, targets: Targets, rows: Mapping[str, IntArray]) -> pd.DataFrame:
    """How many samples each class has.

    Args:
        definition: Gives the outputs.
        targets: (N, O), from `targets_of`.
        rows: Span name to its rows. The holdout stays closed: how often a class comes there is not counted.

    Returns:
        A row for each class of each output in classes, under (output, label), the lowest first; none
        without such outputs. Columns class (its number), and for each span its count of samples and their
        share (NaN where the span has none): in_sample, in_sample_share, out_of_sample and
        out_of_sample_share. A dropped class has no row, and its samples count nowhere.
    """
    spans = {name: rows[name] for name in rows if name != "holdout"}
    table = []
    for index, output in enumerate(definition.outputs):
        counts = {
            name: np.bincount(_known(targets[own, index]), minlength=len(output.labels))
            for name, own in spans.items()
            if output.labels
        }
        for number, label in enumerate(output.labels):
            row: dict[str, object] = {"output": output.name, "label": label, "class": number}
            for name, each in counts.items():
                total = int(each.sum())
                row[name.replace("-", "_")] = int(each[number])
                row[f"{name.replace('-', '_')}_share"] = each[number] / total if total else np.nan
            table.append(row)
    columns = ["output", "label", "class"]
    columns += [f"{name.replace('-', '_')}{part}" for name in spans for part in ("", "_share")]
    return pd.DataFrame(table, columns=columns).set_index(["output", "label"])


def refuse_empty_classes(balance: pd.DataFrame) -> None:
    """A class that never comes in sample cannot be learnt.

    Raises:
        SamplesError: Some class has no in-sample sample; it tells the counts of them all.
    """
    empty = balance[balance["in_sample"] == 0]
    if empty.empty:
        return
    name, label = empty.index[0]
    counts = balance.loc[name, "in_sample"]
    told = ", ".join(f"{count:,} in {each!r}" for each, count in counts.items())
    raise SamplesError(
        f"output {name!r} has no in-sample sample in class {label!r} ({told}); move the thresholds, or load more "
        "history"
    )


def balance_lines(balance: pd.DataFrame) -> list[str]:
    """The balance in words, a line for each output and span; none without classes.

    >>> table = {"class": [0, 1], "in_sample": [300, 100], "in_sample_share": [0.75, 0.25]}
    >>> index = pd.MultiIndex.from_tuples([("up", "< 0"), ("up", "≥ 0")], names=["output", "label"])
    >>> balance_lines(pd.DataFrame(table, index=index))
    ['up, in-sample: < 0 75.0 % (300), ≥ 0 25.0 % (100)']
    """
    lines = []
    for name in dict.fromkeys(balance.index.get_level_values("output")):
        own = balance.loc[name]
        for span in ("in_sample", "out_of_sample"):
            if span not in own or not own[span].sum():
                continue
            parts = [
                f"{label} {100 * share:.1f} % ({count:,})"
                for label, count, share in zip(own.index, own[span], own[f"{span}_share"], strict=True)
            ]
            lines.append(f"{name}, {span.replace('_', '-')}: {', '.join(parts)}")
    return lines


def _known(column: Targets) -> IntArray:
    return column[~np.isnan(column)].astype(np.int64)
