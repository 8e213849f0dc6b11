"""Predictor and LiveInputs: the only way from bars to predictions, in a backtest and live."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dlplugin.definition import Definition, refuse_edited
from dlplugin.engines import RowReader, build_network
from dlplugin.engines.decoding import decode
from dlplugin.errors import DamagedModelError, DLPluginWarning, users_level
from dlplugin.indicators import StreamSet
from dlplugin.registry import did_you_mean
from dlplugin.samples import (
    ColumnScaling,
    Scaling,
    input_matrix,
    known_inputs,
    matrix_columns,
    row_layout,
    symbol_values,
    with_symbol,
)

__all__ = ["LiveInputs", "Predictor"]

Matrix = NDArray[np.float32]
FloatArray = NDArray[np.float64]


class Predictor:
    """Weights and scaling of a model, ready to predict: float32 on the CPU, whatever trained them.

    Every forward pass is over one chunk of rows of the engine's fixed size, padded when there are
    fewer: so a row gives the same bits alone, among others, live, and after a reload.

    Args:
        definition: Inputs, outputs and engine.
        input_scaling: As fitted by the training.
        output_scaling: As fitted by the training.
        weights: Parameter name to (K, ...) float32 array.
        class_loss: What outputs in classes were trained with: after cross-entropy their columns are
            probabilities, after hinge scores.

    Attributes:
        columns: What the P columns of a prediction are called; see `Output.columns`.
        first: (O,) the column in which each output's own value stands: the number, the middle
            quantile, or the number of the class.
        gives_probabilities: Whether the columns of classes are probabilities, and not scores.

    Raises:
        DamagedModelError: The weights are not those of this definition's network.
        PredictionError: An indicator of a user's own is not what it was.
    """

    def __init__(
        self,
        definition: Definition,
        input_scaling: Scaling,
        output_scaling: Scaling,
        weights: Mapping[str, Matrix],
        class_loss: str = "cross-entropy",
    ) -> None:
        refuse_edited(definition.sources, definition.name)
        self.definition = definition
        self._input_scaling = input_scaling
        self._output_scaling = output_scaling
        self._chunk = definition.spec.chunk
        networks = next(iter(weights.values())).shape[0] if weights else 1
        self._network = build_network(definition, networks)
        try:
            self._network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise DamagedModelError(
                f"the weights of {definition.name!r} do not fit its engine: {reason}"
            ) from None
        self._network.eval()
        self._networks = networks
        self._class_loss = class_loss
        self.gives_probabilities = class_loss != "hinge"
        groups = [output.columns(networks) for output in definition.outputs]
        self.columns = definition.columns(networks)
        self.first = (0, *accumulate(len(group) for group in groups[:-1]))
        self._reader = RowReader(row_layout(definition), len(matrix_columns(definition).input))
        self._warned: set[str] = set()

    def predict(
        self,
        bars: pd.DataFrame,
        symbol: str | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
    ) -> FloatArray:
        """Predictions at each bar of a history.

        Args:
            bars: The symbol's bars, from the first one on.
            symbol: Needed when the model is scaled by symbol, or has the input `symbol`.
            others: The bars of other symbols that the inputs read, from their first ones on; where
                the symbol reads itself, its own bars are taken.

        Returns:
            (T, P) with the columns of `columns`, numbers in the outputs' own units, known at the close of
            each bar; NaN while warming up.

        Raises:
            PredictionError: The symbol is needed and not given, or has no scaling, or an indicator is not
                what it was.

        Warns:
            DLPluginWarning: Once for a symbol that is an input, and that it never trained on.
        """
        refuse_edited(self.definition.sources, self.definition.name)
        self._warn_untrained(symbol)
        own = {} if symbol is None else {symbol: bars}
        raw = input_matrix(self.definition, bars, {**own, **(others or {})}, symbol)
        matrix = self._input_scaling.of(symbol).apply(raw)
        rows = np.flatnonzero(known_inputs(self.definition, raw))
        predicted = np.full((len(bars), len(self.columns)), np.nan)
        predicted[rows] = self.predict_rows(matrix, rows, symbol)
        return predicted

    def predict_rows(self, matrix: Matrix, rows: NDArray[np.int64], symbol: str | None = None) -> FloatArray:
        """Predictions of chosen rows of a scaled matrix.

        Args:
            matrix: (N, F) scaled inputs.
            rows: (S,) the bars to predict at.
            symbol: Needed when the model is scaled by symbol.

        Returns:
            (S, P) with the columns of `columns`, numbers in the outputs' own units: the mean of the
            networks, and how far they spread.
        """
        scaling = self._output_scaling.of(symbol)
        return decode(self.definition, self.predict_scaled(matrix, rows), scaling, self._class_loss)

    def predict_scaled(self, matrix: Matrix, rows: NDArray[np.int64]) -> FloatArray:
        """What each network gives: numbers in the scaled unit of the losses, and scores of classes.

        Returns:
            (K, S, N) float64; `Definition.heads` tells which columns answer which output.
        """
        cells = torch.from_numpy(np.ascontiguousarray(matrix))
        wanted = torch.from_numpy(rows)
        return self._forward(len(rows), lambda chunk: self._reader(cells, wanted[chunk]))

    def predict_given(self, rows: Matrix) -> FloatArray:
        """Predictions of rows that are given as the engine reads them, not by bars of a matrix.

        Args:
            rows: (S, D) or (S, W, F) scaled inputs; see `RowLayout`.

        Returns:
            (S, P) with the columns of `columns`; numbers are scaled, in the unit of the losses.
        """
        given = torch.from_numpy(rows)
        scaled = Scaling.none(len(self.definition.outputs)).of(None)
        by_network = self._forward(len(rows), lambda chunk: given[chunk])
        return decode(self.definition, by_network, scaled, self._class_loss)

    def attribute(
        self, rows: Matrix, baseline: Matrix, output: int, label: int, steps: int
    ) -> tuple[FloatArray, FloatArray]:
        """Integrated gradients of one output along the way from the baseline to each row.

        Args:
            rows: (S, D) or (S, W, F) scaled inputs.
            baseline: (D,) or (W, F), where every way begins.
            output: Its position.
            label: Of an output in classes the class whose probability, or score, is attributed.
            steps: At which the gradient is taken.

        Returns:
            (S, ...) attributions, scaled as the losses are, and (S,) by how much their sums miss the
            difference of the predictions.

        Raises:
            DLPluginError: captum is not installed.
        """
        from dlplugin.engines.attribution import answer_of, integrated_gradients

        head = self.definition.heads[output]
        answer = answer_of(head, label, self.gives_probabilities)
        with _one_thread():
            return integrated_gradients(self._network, self._networks, answer, rows, baseline, steps)

    def _forward(self, count: int, read: Callable[[Tensor], Tensor]) -> FloatArray:
        """(K, S, N) over chunks of one size; where there are fewer rows, the last is repeated."""
        columns = sum(head.size for head in self.definition.heads)
        predicted = np.empty((self._networks, count, columns))
        with _one_thread(), torch.inference_mode():
            for start in range(0, count, self._chunk):
                chunk = torch.arange(start, start + self._chunk).clamp(max=count - 1)
                rows = read(chunk)
                given = self._network(rows.expand(self._networks, *rows.shape))
                part = min(self._chunk, count - start)
                predicted[:, start : start + part] = given[:, :part].numpy()
        return predicted

    def live(self, symbol: str | None = None) -> "LiveInputs":
        """Inputs of one feed, to be fed bar by bar.

        Raises:
            PredictionError: The symbol is needed and not given, or has no scaling, or an indicator is not
                what it was.

        Warns:
            DLPluginWarning: Once for a symbol that is an input, and that it never trained on.
        """
        refuse_edited(self.definition.sources, self.definition.name)
        self._warn_untrained(symbol)
        return LiveInputs(self, self._input_scaling.of(symbol), symbol)

    def _warn_untrained(self, symbol: str | None) -> None:
        own = symbol_values(self.definition, symbol)
        if symbol is None or symbol in self._warned or np.isnan(own).all():
            return
        self._warned.add(symbol)
        seen = self._input_scaling.of(symbol).apply(matrix_columns(self.definition).of(own))
        if not (seen == 1).any():
            symbols = [
                str(name)
                for item in self.definition.inputs
                if item.is_symbol
                for name in item.categories or ()
            ]
            meant = [name for name in symbols if name.casefold() == symbol.casefold() and name != symbol]
            hint = did_you_mean(symbol, meant)
            warnings.warn(
                f"model {self.definition.name!r} never trained on {symbol!r}, so its input 'symbol' is all zeros{hint}",
                DLPluginWarning,
                stacklevel=users_level(),
            )


class LiveInputs:
    """The inputs of one feed bar by bar, and the prediction at each: as much work on every bar.

    The values are those of `Predictor.predict` over the same bars, to the bit. Where inputs read
    other symbols, each of their bars goes to `update_other` before the own bar of the same time.
    """

    def __init__(self, predictor: Predictor, scaling: ColumnScaling, symbol: str | None) -> None:
        self._predictor = predictor
        self._scaling = scaling
        self._symbol = symbol
        definition = predictor.definition
        self._own = symbol_values(definition, symbol)
        self._streams = StreamSet(definition.indicators)
        self._layout = row_layout(definition)
        self._unknown = np.full(len(predictor.columns), np.nan)
        self._columns = matrix_columns(definition)
        self._window = np.full((int(self._layout.back.max()) + 1, len(self._columns.input)), np.nan)

    def update(self, values: Mapping[str, float], time: pd.Timestamp) -> FloatArray:
        """Takes a closed bar.

        Args:
            values: Column name to value: open, high, low, close, volume and any extra.
            time: The bar's time.

        Returns:
            (P,) the prediction known at the close of this bar; NaN while warming up.
        """
        self.take(values, time)
        return self._predict(self._window)

    def take(self, values: Mapping[str, float], time: pd.Timestamp) -> None:
        """Takes a closed bar whose prediction is not wanted, or is known from `peek`."""
        self._window[:-1] = self._window[1:]
        self._window[-1] = self._read(self._streams.update(values, time))

    def update_other(self, symbol: str, values: Mapping[str, float], time: pd.Timestamp) -> None:
        """Takes a closed bar of another symbol; see `StreamSet.update_other`."""
        self._streams.update_other(symbol, values, time)

    def peek(self, values: Mapping[str, float], time: pd.Timestamp) -> FloatArray:
        """The prediction if the bar under way closed like this; nothing is remembered of it.

        Returns:
            (P,) as `update` would give.
        """
        forming = self._read(self._streams.peek(values, time))
        return self._predict(np.vstack([self._window[1:], forming]))

    def _read(self, values: FloatArray) -> FloatArray:
        return self._columns.of(with_symbol(values, self._own))

    def _predict(self, window: FloatArray) -> FloatArray:
        last = len(window) - 1
        if not np.isfinite(window[last - self._layout.back, self._layout.column]).all():
            return self._unknown.copy()
        matrix = self._scaling.apply(window)
        predicted: FloatArray = self._predictor.predict_rows(matrix, np.array([last]), self._symbol)[0]
        return predicted


@contextmanager
def _one_thread() -> Iterator[None]:
    """Fixes the number of threads, on which the last bits of a sum can depend."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
