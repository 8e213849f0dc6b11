"""What is read first, and what is said of the days that were traded."""

import dataclasses

import pandas as pd
import pytest

import dlplugin as dl
from dlplugin.evaluation.audit import Check
from dlplugin.report import render_markdown, render_report
from dlplugin.report.headline import headlines, traded_where
from dlplugin.report.sections import _training, sections

LEAK = Check("inputs, bars cut", False, "x changes")
ALARM = Check("columns: whole series", False, "x has mean 0", "a mean of 0", kind="alarm")
FINE = Check("scaling", True, "fitted in sample")


def audited(*checks):
    return dl.Audit("us-5d", "us-stocks", checks, 2.5)


def test_each_output_has_its_headline(make, read, evaluation):
    two = dataclasses.replace(
        evaluation, outputs=evaluation.outputs * 2, results=evaluation.results * 2, samples=None
    )
    data = make(
        bars=40, evaluation=two, verdict="For a: it beats nothing. For b: it wins. Only that is unseen."
    )

    assert headlines(data) == (["For a: it beats nothing.", "For b: it wins."], "Only that is unseen.")
    assert "<h1><span>For a: it beats nothing.</span> <span>For b: it wins.</span></h1>" in render_report(
        data
    )
    assert render_markdown(data).startswith("# For a: it beats nothing. For b: it wins.\n")


def test_a_leak_is_the_headline_and_an_alarm_the_first_sentence_below(make, read):
    leak, alarm = make(bars=40, audit=audited(LEAK, ALARM, FINE)), make(bars=40, audit=audited(ALARM, FINE))

    assert headlines(leak) == (
        ["The audit found 1 leak and 1 alarm: these figures are not to be believed."],
        "The model beats nothing. It has lost money, too.",
    )
    assert headlines(alarm) == (
        ["The model beats nothing."],
        "The audit raised 1 alarm, to be explained before these figures are believed. It has lost money, too.",
    )
    page = read(render_report(leak))
    assert "audit: 1 leak and 1 alarm inputs, bars cut, columns: whole series" in page.words
    rows = next(rows for name, rows in page.tables.items() if name.startswith("audit"))
    assert rows[1:] == [
        ["inputs, bars cut", "leak", "x changes", ""],
        ["columns: whole series", "alarm", "x has mean 0", "a mean of 0"],
        ["scaling", "passed", "fitted in sample", ""],
    ]


def test_whether_there_was_an_audit_is_said(make, read):
    assert "not audited dlplugin audit looks for the future" in read(render_report(make(bars=40))).words
    passed = read(render_report(make(bars=40, audit=audited(FINE))))
    assert "audit passed no leak and no alarm" in passed.words
    assert "not audited" not in passed.words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2011-04-29", "2013-03-01", "Traded on the holdout"),
        ("2013-03-04", "2014-01-02", "Traded after the holdout"),
        ("2010-01-04", "2013-03-01", "Traded in part on days that the training has seen"),
        ("2005-01-03", "2006-01-03", "Traded on days that the training has seen"),
    ],
)
def test_only_days_of_the_holdout_are_called_so(make, start, end, words):
    whole = make(bars=40)
    traded = dataclasses.replace(whole.backtest, start=pd.Timestamp(start), end=pd.Timestamp(end))

    assert traded_where(whole, traded) == words
    said = [
        each.text for each in _blocks(dataclasses.replace(whole, backtest=traded)) if each.kind == "words"
    ]
    assert (f"{words}." in said) == (words != "Traded on the holdout")


def _blocks(data):
    return next(section.blocks for section in sections(data) if section.name == "holdout")


@pytest.mark.parametrize(
    ("options", "labels", "quantiles", "words"),
    [
        ({"loss": "squared"}, (), (), "Loss is the mean squared error, in units of an output's scale"),
        ({"loss": "absolute"}, (), (), "Loss is the mean absolute error, in units of"),
        ({"class_loss": "hinge"}, ("down", "up"), (), "Loss is hinge. "),
        ({"loss": "squared"}, (), (0.1, 0.9), "Loss is the mean pinball loss of the quantiles, in units"),
    ],
)
def test_the_curves_are_of_the_loss_that_was_trained_on(make, options, labels, quantiles, words):
    whole = make(bars=40)
    output = dataclasses.replace(whole.evaluation.outputs[0], labels=labels, quantiles=quantiles)
    evaluation = dataclasses.replace(whole.evaluation, outputs=(output,))
    data = dataclasses.replace(whole, evaluation=evaluation, facts={"options": options})

    assert words in _training(data)[-1].text
