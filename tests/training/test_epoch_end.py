"""What is kept and noted at the end of each epoch, and what a training gives back."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from rich.console import Console

import dlplugin as dl
from dlplugin.errors import StoreError
from dlplugin.samples import Samples, build_samples
from dlplugin.training.control import Control
from dlplugin.training.fit import Fitted, fit
from dlplugin.training.module import EpochLosses, TrainingModule
from tests.training.notes import Notes

Row = tuple[float | int | str, ...]


@pytest.fixture
def samples(model: dl.Model, two_stocks: dl.DataSet) -> Samples:
    return build_samples(model.definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))


def fitted(samples: Samples, append: Callable[[Row], None], **options: object) -> Fitted:
    wanted = dl.TrainingOptions(device="cpu", learning_rate=0.01, **options)  # type: ignore[arg-type]
    return fit(samples, wanted, Notes(append), console=Console(file=io.StringIO()))


@pytest.mark.parametrize("kept", ["best", "last"])
def test_a_loss_that_stops_being_finite_ends_it_with_the_last_good_weights_kept(
    samples: Samples, kept: str
) -> None:
    good = fitted(samples, lambda row: None, epochs=2, save_point=kept)
    rows: list[Row] = []

    def spoil_after_two(row: Row) -> None:
        rows.append(row)
        if row[0] == 2:  # on the CPU the network trains on these very numbers
            samples.targets[samples.rows["in-sample"][5]] = np.inf

    result = fitted(samples, spoil_after_two, epochs=6, auto_stop=None, save_point=kept)
    assert [row[0] for row in rows] == [1, 2, 3]
    assert not np.isfinite(float(rows[2][1]))
    assert result.stop_reason == "the loss is not finite in epoch 3"
    assert not result.finished, "it can go on"
    assert result.save_point.epochs.tolist() == good.save_point.epochs.tolist()
    for name, value in good.save_point.weights.items():
        assert np.isfinite(value).all()
        np.testing.assert_array_equal(result.save_point.weights[name], value)


def test_the_history_holds_the_means_over_the_networks(
    monkeypatch: pytest.MonkeyPatch, samples: Samples
) -> None:
    losses: list[EpochLosses] = []
    measure = TrainingModule.epoch_losses

    def noted(module: TrainingModule) -> EpochLosses:
        losses.append(measure(module))
        return losses[-1]

    monkeypatch.setattr(TrainingModule, "epoch_losses", noted)
    rows: list[Row] = []
    fitted(samples, rows.append, epochs=2, networks=3)
    for row, each in zip(rows, losses, strict=True):
        assert len(set(each.in_sample)) == len(set(each.out_of_sample or ())) == 3
        assert float(row[1]) == pytest.approx(sum(each.in_sample) / 3)
        assert float(row[2]) == pytest.approx(sum(each.out_of_sample or ()) / 3)


def test_the_number_of_threads_is_what_it_was_after_a_training_however_it_ends(samples: Samples) -> None:
    before, during = torch.get_num_threads(), []

    def full_disk(row: Row) -> None:
        raise StoreError("cannot write history.csv: No space left on device")

    torch.set_num_threads(3)
    try:
        fitted(samples, lambda row: during.append(torch.get_num_threads()), epochs=1)
        assert (during, torch.get_num_threads()) == ([1], 3)
        with pytest.raises(StoreError):
            fitted(samples, full_disk, epochs=1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_stop_that_throws_epochs_away_keeps_no_save_point_of_theirs(
    monkeypatch: pytest.MonkeyPatch, samples: Samples
) -> None:
    monkeypatch.setattr("dlplugin.training.callbacks.SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr("dlplugin.training.callbacks.SECONDS_TO_FINISH", -1.0)
    notes, looks = Notes(), []
    # the disk is slow: after the first epoch no state is written any more

    def in_the_fourth_epoch() -> bool:
        notes.wants_state = len(notes.rows) < 2
        if len(notes.rows) == 3:
            looks.append(0)
        return len(looks) > 1  # the first look is still at the end of the third

    options = dl.TrainingOptions(epochs=6, auto_stop=None, save_point="last", device="cpu", batch_size=64)
    stopped = fit(samples, options, notes, Control(in_the_fourth_epoch), Console(file=io.StringIO()))
    assert [row[0] for row in notes.rows] == [1, 2, 3]
    assert list(notes.states) == [1]
    assert (stopped.epochs, stopped.finished, stopped.stop_reason) == (1, False, "stopped by request")
    assert stopped.save_point.epochs.tolist() == [1]


def test_a_training_goes_on_with_the_threads_it_began_with(
    monkeypatch: pytest.MonkeyPatch, samples: Samples
) -> None:
    monkeypatch.setattr("dlplugin.training.trainer.MULTIPLICATIONS_WORTH_SHARING", 0)
    notes, during, before = Notes(), [], torch.get_num_threads()
    options = dl.TrainingOptions(epochs=2, device="cpu")
    screen = Console(file=io.StringIO())
    try:
        torch.set_num_threads(2)
        fit(samples, options, notes, console=screen)
        torch.set_num_threads(3)
        noting = Notes(lambda row: during.append(torch.get_num_threads()))
        fit(samples, options, noting, console=screen, state=notes.states[1])
    finally:
        torch.set_num_threads(before)
    assert during == [2]


def test_a_stop_that_comes_with_the_last_epoch_changes_nothing(samples: Samples) -> None:
    rows: list[Row] = []
    options = dl.TrainingOptions(epochs=2, auto_stop=None, device="cpu")
    control = Control(lambda: len(rows) == 2)
    ended = fit(samples, options, Notes(rows.append), control, Console(file=io.StringIO()))
    assert (ended.epochs, ended.finished, ended.stop_reason) == (2, True, "all 2 epochs done")


def test_the_first_reason_to_stop_stays() -> None:
    control = Control(lambda: True)
    control.request("stopped by SIGTERM")
    control.request("stopped by Ctrl-C")
    assert control.look()
    assert control.reason == "stopped by SIGTERM"
