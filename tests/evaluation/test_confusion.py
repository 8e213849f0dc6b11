"""The confusion matrix as counts and shares, in all its forms, and the table of classes around it."""

import re

import numpy as np
import pandas as pd
import pytest
from rich.color import Color
from rich.console import Console
from sklearn import metrics

from dlplugin.errors import UnknownNameError
from dlplugin.evaluation.class_table import ClassTable
from dlplugin.evaluation.classes import ClassValues, score_classes
from dlplugin.evaluation.confusion import DROPPED, shade
from tests.evaluation.test_class_errors import with_dropped
from tests.evaluation.test_classes import random_values, values

LABELS = ("down", "flat", "up")


def table(given: ClassValues, classes: int = 3, judged: str = "out-of-sample") -> ClassTable:
    spans = (score_classes("in-sample", classes, given), score_classes(judged, classes, given))
    return ClassTable("ROC(1)", (*LABELS[: classes - 1], "up"), spans)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_shades_go_from_light_to_dark_in_one_hue_and_text_on_them_is_readable() -> None:
    shades = [shade(share) for share in np.linspace(0, 1, 101)]
    lights = [luminance(background) for background, _ in shades]
    assert (np.diff(lights) < 0).all()
    for (background, text), light in zip(shades, lights, strict=True):
        brighter, darker = sorted((light, luminance(text)), reverse=True)
        assert (brighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG AA
        red, green, blue = (int(background[i : i + 2], 16) for i in (1, 3, 5))
        assert red < green < blue


def test_the_matrix_as_shares_is_scikit_learns() -> None:
    given = random_values(2)
    shown = table(given)
    expected = metrics.confusion_matrix(given.actual, given.predicted.astype(int), normalize="true")
    np.testing.assert_allclose(shown.confusion(shares=True), expected)
    assert list(shown.confusion(shares=True).index) == list(LABELS)
    assert shown.confusion().dtypes.eq(np.int64).all()
    never = table(values([1, 2], [1, 1])).confusion(shares=True)
    assert never.isna().all(axis=1).tolist() == [True, False, True]


def test_the_dropped_class_has_a_row_of_its_own_when_asked_for() -> None:
    given, whole, named = with_dropped(3)
    shown = table(given, 2)
    expected = metrics.confusion_matrix(whole.actual, named)[:, :2]
    found = shown.confusion(dropped=True)
    assert list(found.index) == ["down", "up", DROPPED]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(shown.confusion(), expected[:2])
    assert list(table(random_values(1)).confusion(dropped=True).index) == list(LABELS)
    assert shown.frame["in_sample_dropped"].tolist() == expected[2].tolist()
    assert "in_sample_dropped" not in table(random_values(1)).frame


def test_the_frame_has_f1_and_errors() -> None:
    given = random_values(2)
    shown, scores = table(given, judged="holdout"), score_classes("in-sample", 3, given)
    for name in ("f1", "precision", "recall"):
        np.testing.assert_array_equal(shown.frame[f"holdout_{name}"], getattr(scores, name))
        np.testing.assert_array_equal(shown.frame[f"holdout_{name}_error"], getattr(scores.errors, name))


def test_reliability_comes_as_a_frame() -> None:
    shown = table(random_values(2))
    found = shown.reliability("in-sample")
    assert list(found.columns) == ["end", "count", "probability", "share", "error"]
    assert found.groupby("label", sort=False)["count"].sum().to_dict() == dict.fromkeys(LABELS, 600)
    empty = table(values([0, 1], [0, 1])).reliability()
    assert empty.empty
    assert isinstance(empty, pd.DataFrame)
    with pytest.raises(UnknownNameError) as error:
        shown.reliability("holdout")
    assert str(error.value) == "there is no span 'holdout'; there are: in-sample, out-of-sample"


def test_plain_text_has_counts_shares_and_all_figures_with_their_errors() -> None:
    given = random_values(2)
    shown = table(given)
    text, scores = str(shown), shown.spans[0]
    assert max(map(len, text.splitlines())) <= 100
    for label, counts, shares in zip(LABELS, scores.counts, scores.shares, strict=True):
        assert len(re.findall(rf"^{label} +{' +'.join(map(str, counts))}$", text, re.MULTILINE)) == 2
        parts = " +".join(f"{100 * share:.1f} %" for share in shares)
        assert len(re.findall(rf"^{label} +{parts}$", text, re.MULTILINE)) == 2
    row = next(line for line in text.splitlines() if line.startswith("flat"))
    assert row.split()[-1] == f"{scores.f1[1]:.2f}"
    errors = scores.errors
    told = (
        f"in-sample (± 95 %): accuracy {100 * scores.accuracy:.1f} % ± {196 * errors.accuracy:.1f}, Matthews "
        f"{scores.correlation:.3f} ± {1.96 * errors.correlation:.3f}, log loss {scores.log_loss:.4f} ± "
        f"{1.96 * errors.log_loss:.4f}, Brier {scores.brier:.4f} ± {1.96 * errors.brier:.4f}"
    )
    assert told in " ".join(text.split())
    assert "dropped" not in text


def test_text_of_a_model_with_a_dropped_class_tells_both() -> None:
    given, _, _ = with_dropped(3)
    shown = table(given, 2)
    found = shown.spans[0].with_dropped
    told = (
        f"with the {found.samples - shown.spans[0].samples} samples of the dropped class, none of which can be "
        f"right: accuracy {100 * found.accuracy:.1f} % ± {196 * found.errors.accuracy:.1f}, Matthews "
        f"{found.correlation:.3f} ± {1.96 * found.errors.correlation:.3f}"
    )
    assert " ".join(str(shown).split()).count(told) == 2
    assert told in shown._repr_html_()
    assert len(re.findall(rf"^{re.escape(DROPPED)} ", str(shown), re.MULTILINE)) == 4


def test_few_days_and_no_probabilities_are_dashes_without_errors() -> None:
    text = str(table(values([0, 1, 2], [0, 1, 1])))
    assert "accuracy 66.7 %, Matthews 0.612, log loss –, Brier –" in " ".join(text.split())


def test_rich_colours_the_shares_and_nothing_else() -> None:
    shown = table(random_values(2))
    console = Console(width=100, color_system="truecolor", force_terminal=True, record=True)
    with console.capture() as captured:
        console.print(shown)
    scores = shown.spans[0]
    for share in np.ravel(scores.shares):
        background, text = shade(share)
        colours = [";".join(map(str, Color.parse(each).triplet)) for each in (text, background)]
        assert f"\x1b[38;2;{colours[0]};48;2;{colours[1]}m" in captured.get()
    assert len(re.findall(r";48;2;", captured.get())) == 18
    assert re.sub(r"\x1b\[[0-9;]*m", "", captured.get()).split() == str(shown).split()


def test_html_has_coloured_cells_errors_and_reliability() -> None:
    shown = table(random_values(2))
    html, scores = shown._repr_html_(), shown.spans[0]
    for counts, shares in zip(scores.counts, scores.shares, strict=True):
        for count, share in zip(counts, shares, strict=True):
            background, text = shade(share)
            cell = f'<div style="background:{background};color:{text};padding:0.1em 0.4em">{count} ({100 * share:.1f} %)</div>'
            assert html.count(cell) >= 2
    assert f"{100 * scores.precision[0]:.1f} % ± {196 * scores.errors.precision[0]:.1f}" in html
    assert f"{scores.f1[0]:.2f} ± {1.96 * scores.errors.f1[0]:.2f}" in html
    assert html.count("reliability</caption>") == 2
    assert "0.9 … 1.0" in html
    bare = table(values([0, 1], [0, 1]))._repr_html_()
    assert "reliability" not in bare
    assert "0 (–)" in bare


def test_hours_fit_as_well() -> None:
    given = random_values(2)
    start = np.datetime64("2001-01-01T09:30", "ns")
    hours = start + np.arange(600) * np.timedelta64(1, "h")
    moved = {"times": hours, "start": pd.Timestamp(hours[0]), "end": pd.Timestamp(hours[-1])}
    text = str(table(ClassValues(**(vars(given) | moved))))
    assert max(map(len, text.splitlines())) <= 100
    assert "2001-01-01 09:30 … 2001-01-26 08:30" in text
