from dlplugin.evaluation import EvaluatedOutput, evaluate


def test_the_summary_is_verdict_scores_and_ranges_in_100_columns(panel):
    made = panel(3, look_ahead=5, days=(200, 100), symbols=2)
    found = evaluate(made.outputs, made.scale, made.in_sample, made.out_of_sample)
    lines = str(found).splitlines()
    blank = lines.index("")
    assert " ".join(lines[:blank]) == found.verdict
    assert max(map(len, lines)) <= 100
    assert lines[blank + 1 : blank + 5] == [
        "ROC(5), 5 bars ahead",
        "                in-sample                                 out-of-sample",
        "                2001-01-01 … 2001-07-14                   2001-07-20 … 2001-10-22",
        "                390 samples, 195 days                     190 samples, 95 days",
    ]
    scores = found.scores()[1].by_rule["ridge"]
    ridge = next(line for line in lines if line.startswith("ridge"))
    assert ridge.split()[-6:-4] == [f"{scores.loss:.4f}", f"{scores.r_squared:.4f}"]
    assert ridge.endswith(f"{100 * scores.hit_rate:.1f} %")
    assert "\n".join(lines).endswith("\n\n" + str(found.table()))
    assert next(line for line in lines if line.startswith("zero")).split()[3:5] == ["–", "–"]


def test_html_escapes_names_and_holds_all_tables(panel, named_output):
    made = panel(3, days=(100, 50), symbols=2)
    found = evaluate([named_output("<b>", 1)], made.scale, made.in_sample, made.out_of_sample)
    html = found._repr_html_()
    assert html.count("<table") == html.count("</table>") == 2
    assert "&lt;b&gt;, 1 bar ahead" in html
    assert "<b>" not in html
    assert found.outputs == (EvaluatedOutput("<b>", 1, float(made.scale[0])),)
