"""The picture of a run shows what happened, however long, short or broken it was."""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import PNGFormatter
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dlplugin
import dlplugin as dl
from dlplugin.errors import StoreError
from dlplugin.training.watch import plot
from dlplugin.training.watch.plot import plot_history
from dlplugin.training.watch.thin import BUCKETS, thin


def history_of(epochs: int, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(epochs)
    number = np.arange(1, epochs + 1)
    frame = pd.DataFrame(
        {
            "epoch": number,
            "in_sample_loss": 0.97 + 0.1 * np.exp(-number / 30) + rng.normal(0, 0.001, epochs),
            "out_of_sample_loss": 0.99 + 0.1 * np.exp(-number / 20) + rng.normal(0, 0.004, epochs),
            "learning_rate": 0.001,
            "seconds": 0.01,
        }
    )
    return frame.assign(**columns)


def drawn(figure: Figure) -> list[Axes]:
    figure.draw_without_rendering()
    return figure.axes


def line(panel: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    (found,) = [line for line in panel.lines if str(line.get_label()).startswith(label)]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def labels(panel: Axes) -> list[str]:
    return panel.get_legend_handles_labels()[1]


def test_a_monitored_value_that_was_never_known_leaves_its_panel_empty() -> None:
    unseen = history_of(3, out_of_sample_loss=np.nan, out_of_sample_correlation=np.nan)
    losses, correlation, _ = drawn(plot_history(unseen, "calm-kite-7", save_points=[3]))
    assert labels(losses)[0] == "in-sample"
    assert [text.get_text() for text in correlation.texts] == ["no value in any epoch"]


def test_both_losses_save_points_rate_name_and_reason_are_there() -> None:
    history = history_of(143)
    reason = "finished: no lower out-of-sample loss for 50 epochs"
    losses, rates = drawn(plot_history(history, "calm-kite-7", reason, [1, 5, 93]))
    for label in ("in-sample", "out-of-sample"):
        epochs, values = line(losses, label)
        np.testing.assert_array_equal(epochs, history["epoch"])
        np.testing.assert_array_equal(values, history[f"{label.replace('-', '_')}_loss"])
    assert line(losses, "save point moved")[0].tolist() == [1, 5, 93]
    kept = history["out_of_sample_loss"][92]
    assert line(losses, f"save point: epoch 93, {kept:.4g}")[1].tolist() == [kept]
    np.testing.assert_array_equal(rates.lines[0].get_ydata(), history["learning_rate"])
    assert losses.get_title(loc="left") == "calm-kite-7"
    assert reason in [text.get_text() for text in losses.texts]
    assert losses.get_yscale() == "linear"
    assert losses.get_position().height > 3 * rates.get_position().height


def test_a_loss_that_falls_far_is_on_a_logarithmic_scale() -> None:
    history = history_of(50)
    fallen = history.assign(in_sample_loss=np.geomspace(1, 0.01, 50))
    at_zero = fallen.assign(out_of_sample_loss=np.linspace(1, 0, 50))
    assert drawn(plot_history(fallen, "a"))[0].get_yscale() == "log"
    assert drawn(plot_history(at_zero, "a"))[0].get_yscale() == "linear"
    stepped = history.assign(learning_rate=[0.1] * 5 + [0.001] * 45)
    assert drawn(plot_history(stepped, "a"))[-1].get_yscale() == "log"


def test_accuracy_and_correlation_have_panels_of_their_own_when_they_are_recorded() -> None:
    history = history_of(
        20,
        in_sample_accuracy=np.linspace(0.4, 0.6, 20),
        out_of_sample_accuracy=np.linspace(0.4, 0.55, 20),
        out_of_sample_correlation=np.linspace(0, 0.1, 20),
    )
    panels = drawn(plot_history(history, "a", save_points=[20]))
    assert [panel.get_ylabel() for panel in panels] == [
        "loss",
        "accuracy, %",
        "correlation",
        "learning\nrate",
    ]
    assert line(panels[1], "out-of-sample")[1][-1] == pytest.approx(55)
    assert line(panels[2], "out-of-sample")[1][-1] == pytest.approx(0.1)


def test_without_out_of_sample_there_is_one_line_and_the_save_point_is_on_it() -> None:
    history = history_of(10, out_of_sample_loss=np.nan)
    losses, _ = drawn(plot_history(history, "a", save_points=[10]))
    last = history["in_sample_loss"][9]
    assert labels(losses) == ["in-sample", "save point moved", f"save point: epoch 10, {last:.4g}"]


def test_losses_that_lie_far_apart_have_an_axis_each() -> None:
    history = history_of(60)
    history["out_of_sample_loss"] -= 0.55
    inside, outside, _ = panels = drawn(plot_history(history, "a", save_points=[3, 40]))
    assert [panel.get_ylabel() for panel in panels[:2]] == ["in-sample\nloss", "out-of-sample\nloss"]
    assert labels(inside) == ["in-sample"]
    kept = history["out_of_sample_loss"][39]
    assert labels(outside) == ["out-of-sample", "save point moved", f"save point: epoch 40, {kept:.4g}"]
    for panel, values in ((inside, history["in_sample_loss"]), (outside, history["out_of_sample_loss"])):
        low, high = panel.get_ylim()
        assert high - low < 1.5 * (values.max() - values.min()), "a curve fills its panel"
    legend = inside.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [*labels(inside), *labels(outside)]


def test_losses_that_are_near_or_cross_share_an_axis() -> None:
    history = history_of(60)
    assert len(drawn(plot_history(history, "a"))) == 2
    moved = history["in_sample_loss"].max() - history["in_sample_loss"].min()
    gap = history["in_sample_loss"].min() - history["out_of_sample_loss"].max()
    for times, panels in ((2.5, 2), (5, 3)):
        below = history["out_of_sample_loss"] + gap - times * moved
        assert len(drawn(plot_history(history.assign(out_of_sample_loss=below), "a"))) == panels


def test_a_run_without_any_finite_loss_says_so_in_words() -> None:
    broken = history_of(4).assign(in_sample_loss=np.inf, out_of_sample_loss=np.nan)
    losses, _ = drawn(plot_history(broken, "a", save_points=[1]))
    assert "no loss is finite in any epoch" in [text.get_text() for text in losses.texts]
    assert len(losses.get_yticks()) == 0


def test_several_networks_have_a_mark_for_each_save_point_and_none_speaks_for_all() -> None:
    history = history_of(60)
    losses, _ = drawn(plot_history(history, "a", save_points=[1, 9, 30], kept=[30, 9, 9]))
    assert labels(losses)[2:] == ["a network's save point moved", "save points: epochs 30, 9, 9"]
    assert line(losses, "save points")[0].tolist() == [9, 30]
    running, _ = drawn(plot_history(history, "a", save_points=[1, 9, 30], kept=[]))
    assert labels(running)[2:] == ["a network's save point moved"]


def test_the_picture_of_several_networks_says_that_curves_are_means(
    model: dl.Model, two_stocks: dl.DataSet
) -> None:
    run = model.train(two_stocks, options=dl.TrainingOptions(epochs=3, networks=3, learning_rate=0.01))
    losses = drawn(run.plot())[0]
    subtitle = " ".join(text.get_text() for text in losses.texts).replace("\n", " ")
    assert "curves are means over 3 networks, each with a save point of its own" in subtitle
    one = model.train(two_stocks, options=dl.TrainingOptions(epochs=1))
    assert "networks" not in " ".join(text.get_text() for text in drawn(one.plot())[0].texts)


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_the_shortest_runs_can_be_drawn(epochs: int, tmp_path: Path) -> None:
    panels = drawn(plot_history(history_of(epochs), "a", path=tmp_path / "a.png"))
    texts = [text.get_text() for panel in panels for text in panel.texts]
    assert ("no epoch yet" in texts) == (epochs == 0)
    if epochs == 1:
        low, high = panels[-1].get_xlim()
        assert [tick for tick in panels[-1].get_xticks() if low <= tick <= high] == [1]
        assert panels[0].lines[0].get_marker() == "o"


def test_the_first_loss_that_is_not_finite_is_marked() -> None:
    history = history_of(30)
    history.loc[19, "out_of_sample_loss"] = np.inf
    history.loc[20:, ["in_sample_loss", "out_of_sample_loss"]] = np.nan
    losses, _ = drawn(plot_history(history, "a", save_points=[14]))
    assert line(losses, "not finite: epoch 20")[0].tolist() == [20, 20]
    assert losses.get_ylim()[1] < 2
    whole = history_of(30).assign(in_sample_loss=np.nan, out_of_sample_loss=np.nan)
    assert "not finite: epoch 1" in labels(drawn(plot_history(whole, "a", save_points=[1]))[0])


def test_100_000_epochs_are_thinned_and_no_extreme_is_lost(tmp_path: Path) -> None:
    history = history_of(100_000)
    history.loc[70_000, "out_of_sample_loss"] = 900.0
    history.loc[50_000:59_999, "in_sample_loss"] = np.nan
    started = time.perf_counter()
    figure = plot_history(history, "a", save_points=range(1, 100_001, 7), path=tmp_path / "long.png")
    assert (
        time.perf_counter() - started < 10
    )  # 0.6 s; a look at each point for each save point takes half a minute
    losses, _ = drawn(figure)
    epochs, values = line(losses, "out-of-sample")
    assert len(epochs) <= 3 * BUCKETS + 3
    assert values[epochs == 70_001] == [900.0]
    assert (values.min(), epochs[0], epochs[-1]) == (history["out_of_sample_loss"].min(), 1, 100_000)
    epochs, values = line(losses, "in-sample")
    assert np.isnan(values[(epochs > 50_100) & (epochs < 59_900)]).all()
    assert not np.isnan(values[(epochs < 50_000) | (epochs > 60_001)]).any()


def test_thinning_keeps_the_extremes_of_every_bucket_and_leaves_short_ones_alone() -> None:
    assert thin(np.arange(100.0)).tolist() == list(range(100))
    values = np.random.default_rng(0).normal(size=12_345)
    values[[17, 4000]] = np.nan, np.inf
    kept = thin(values)
    assert {0, 17, 4000, 12_344} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()
    for piece in np.split(np.arange(12_345), range(13, 12_345, 13)):
        finite = piece[np.isfinite(values[piece])]
        assert {finite[values[finite].argmin()], finite[values[finite].argmax()]} <= set(kept.tolist())


def test_it_has_the_colours_of_the_report_whatever_style_is_chosen() -> None:
    import matplotlib

    css = (Path(dlplugin.__file__).parent / "report" / "report.css").read_text()
    for name, colour in plot.COLOURS.items():
        assert f"--{name}: {colour};" in css
    with matplotlib.rc_context({"axes.facecolor": "black", "figure.facecolor": "black"}):
        figure = plot_history(history_of(5), "a")
    assert colors.same_color(figure.get_facecolor(), "white")
    assert all(colors.same_color(panel.get_facecolor(), "white") for panel in figure.axes)


@pytest.mark.parametrize(("suffix", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_it_is_written_where_it_should_be(tmp_path: Path, suffix: str, begin: bytes) -> None:
    path = tmp_path / f"run.{suffix}"
    plot_history(history_of(5), "a", path=path)
    assert path.read_bytes().startswith(begin)


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        plot_history(history_of(5), "a", path=tmp_path / "run.txt")
    assert (
        str(error.value)
        == f"cannot write {tmp_path / 'run.txt'}: .txt is no kind of picture; use .png, .svg or .pdf"
    )
    with pytest.raises(StoreError, match="no ending is no kind of picture"):
        plot_history(history_of(5), "a", path=tmp_path / "run")
    with pytest.raises(StoreError, match=r"cannot write .*nowhere.*: No such file or directory"):
        plot_history(history_of(5), "a", path=str(tmp_path / "nowhere" / "run.png"))


def test_a_notebook_shows_it() -> None:
    assert PNGFormatter()(plot_history(history_of(5), "a")).startswith(b"\x89PNG")


def test_pyplot_is_not_needed_and_so_no_backend_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert len(drawn(plot_history(history_of(5), "a"))) == 2
