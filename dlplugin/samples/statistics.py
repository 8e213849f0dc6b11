"""What inputs and outputs look like, before anything is trained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dlplugin.definition import Definition, Input, Output
from dlplugin.samples.features import FloatArray
from dlplugin.samples.parts import SymbolPart

__all__ = ["statistics_of"]


def statistics_of(definition: Definition, parts: list[SymbolPart]) -> pd.DataFrame:
    """Minimum, maximum, mean, standard deviation and missing bars; see `Samples.statistics`."""
    tables: list[tuple[str, Sequence[Input | Output], FloatArray]] = [
        ("input", definition.inputs, np.concatenate([part.values for part in parts])),
        ("output", definition.outputs, np.concatenate([part.outputs for part in parts])),
    ]
    rows = []
    for kind, columns, values in tables:
        for index, column in enumerate(columns):
            own = isinstance(column, Input) and column.is_symbol
            there = values[:, index] >= 0 if own else np.isfinite(values[:, index])
            known = values[there & (not own), index]  # places in a list have no mean
            rows.append(
                {
                    "kind": kind,
                    "name": column.name,
                    "minimum": known.min() if len(known) else np.nan,
                    "maximum": known.max() if len(known) else np.nan,
                    "mean": known.mean() if len(known) else np.nan,
                    "standard_deviation": known.std() if len(known) else np.nan,
                    "missing": int((~there).sum()),
                }
            )
    return pd.DataFrame(rows).set_index(["kind", "name"])
