import math

import pytest

from dlplugin.evaluation import EvaluatedOutput, evaluate
from dlplugin.evaluation.summary import MORE, MORE_RANGES


@pytest.fixture
def found(panel):
    made = panel(3, look_ahead=5, days=(200, 100), symbols=3)
    return evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample)


def test_the_summary_is_verdict_scores_ranges_and_calibration_in_100_columns(found):
    lines = str(found).splitlines()
    blank = lines.index("")
    assert " ".join(lines[:blank]) == found.verdict
    assert max(map(len, lines)) <= 100
    assert lines[blank + 1 : blank + 5] == [
        "ROC(5), 5 bars ahead",
        "                      in-sample                               out-of-sample",
        "                      2001-01-01 … 2001-07-14                 2001-07-20 … 2001-10-22",
        "                      585 samples, 195 days                   285 samples, 95 days",
    ]
    scores = found.scores()[1].by_rule["ridge"]
    ridge = next(line for line in lines if line.startswith("ridge"))
    assert ridge.split()[-6:-4] == [f"{scores.loss:.4f}", f"{scores.r_squared:.4f}"]
    assert ridge.endswith(f"{100 * scores.hit_rate:.1f} %")
    assert "\n\n" + str(found.table()) + "\n\ncalibration: " in "\n".join(lines)
    assert next(line for line in lines if line.startswith("zero")).split()[3:5] == ["–", "–"]
    assert lines[-1] == MORE + MORE_RANGES


def test_under_the_models_figures_stand_their_errors(found):
    lines = str(found).splitlines()
    model = next(i for i, line in enumerate(lines) if line.startswith("model "))
    errors = [scores.errors["model"] for scores in found.scores()]
    assert lines[model + 1].split() == [
        "±",
        "(95",
        "%)",
        *(
            word
            for each in errors
            for word in (
                f"±{1.96 * each.loss:.4f}",
                f"±{1.96 * each.r_squared:.4f}",
                f"±{1.96 * each.correlation:.3f}",
                f"±{1.96 * each.rank_correlation:.3f}",
                f"±{196 * each.hit_rate:.1f}",
                "%",
            )
        ),
    ]


def test_calibration_and_order_of_the_symbols_are_told_of_each_span(found):
    lines = str(found).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("calibration: "))
    for line, scores in zip(lines[at + 1 : at + 3], found.scores(), strict=True):
        calibration, order = scores.calibration, scores.cross_section
        assert line.split()[:4] == [scores.span, "slope", line.split()[2], "±"]
        assert float(line.split()[2]) == pytest.approx(calibration.slope, abs=0.06)
        assert f"({calibration.meaning}), intercept " in line
        assert line.endswith(f"monotonicity {calibration.monotonicity:.2f}")
        shown = f"IC {order.ic:.3f} ± {1.96 * order.ic_error:.3f} (ICIR {order.ic_ratio:.2f}), rank IC "
        assert any(each.strip().startswith(f"{scores.span:<15}{shown}") for each in lines)


def test_two_symbols_have_no_order_to_tell_of(panel):
    made = panel(3, days=(200, 100), symbols=2)
    text = str(evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample))
    assert "information coefficients" not in text
    assert "calibration: " in text


def test_few_days_have_figures_without_errors(panel):
    made = panel(3, days=(9, 9), symbols=3)
    found = evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample)
    assert math.isnan(found.scores()[1].errors["model"].loss)
    lines = str(found).splitlines()
    assert "± (95 %)" in lines
    assert any("(too few days to tell)" in line for line in lines)


def test_html_escapes_names_and_holds_all_tables(panel, named_output):
    made = panel(3, days=(100, 50), symbols=2)
    found = evaluate([named_output("<b>", 1)], made.scale, made.in_sample, made.out_of_sample)
    html = found._repr_html_()
    assert html.count("<table") == html.count("</table>") == 2
    assert "&lt;b&gt;, 1 bar ahead" in html
    assert "<b>" not in html
    assert "<p>calibration: " in html
    assert "± (95 %)" in html
    assert found.outputs == (EvaluatedOutput("<b>", 1, float(made.scale[0])),)
