"""Definition and bars to samples: inputs, outputs, spans, purge and scaling, in NumPy."""

from dlplugin.samples.dropped import rows_with_dropped
from dlplugin.samples.features import (
    MatrixColumns,
    RowLayout,
    input_matrix,
    known_inputs,
    matrix_columns,
    output_matrix,
    row_layout,
    symbol_values,
    with_symbol,
)
from dlplugin.samples.labels import balance_lines
from dlplugin.samples.later import Loaded, judged_samples
from dlplugin.samples.samples import Samples, SpanCount, build_samples, resolve_split
from dlplugin.samples.scaling import ColumnScaling, Scaling
from dlplugin.samples.spans import SPAN_NAMES, Span, Spans
from dlplugin.samples.stored import read_samples, samples_file
from dlplugin.samples.validation import Validation

__all__ = [
    "SPAN_NAMES",
    "ColumnScaling",
    "Loaded",
    "MatrixColumns",
    "RowLayout",
    "Samples",
    "Scaling",
    "Span",
    "SpanCount",
    "Spans",
    "Validation",
    "balance_lines",
    "build_samples",
    "input_matrix",
    "judged_samples",
    "known_inputs",
    "matrix_columns",
    "output_matrix",
    "read_samples",
    "resolve_split",
    "row_layout",
    "rows_with_dropped",
    "samples_file",
    "symbol_values",
    "with_symbol",
]
