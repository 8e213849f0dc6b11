"""A journal that writes nothing: what a training notes, in memory."""

from collections.abc import Callable

from dlplugin.store import TrainingState
from dlplugin.training.save_point import SavePoint

Row = tuple[float | int | str, ...]


class Notes:
    """Every epoch's row and state.

    Args:
        after: Called with each row.
    """

    def __init__(self, after: Callable[[Row], None] = lambda row: None) -> None:
        self.rows: list[Row] = []
        self.states: dict[int, TrainingState] = {}
        self.shown: list[tuple[int, float, float]] = []
        self.kept_epoch = 0
        self.wants_state = True
        self._after = after

    def add_epoch(self, row: Row) -> None:
        self.rows.append(row)
        self._after(row)

    def keep(self, state: TrainingState, save_point: SavePoint) -> None:
        arrays = {name: array.copy() for name, array in state.arrays.items()}
        self.states[state.epoch] = TrainingState(arrays, state.values)
        self.kept_epoch = state.epoch

    def show(self, epoch: int, done: float, loss: float) -> None:
        self.shown.append((epoch, done, loss))

    def close(self) -> None:
        pass
