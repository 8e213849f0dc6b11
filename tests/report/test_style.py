"""The colours, in one place, for eyes of all kinds."""

import itertools
import re
from importlib import resources

import numpy as np
import pytest

from dlplugin.report import svg

CSS = resources.files("dlplugin.report").joinpath("report.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
THEMES = {
    name: dict(re.findall(r"--([\w-]+): (#\w+);", block))
    for name, block in zip(("light", "dark"), BLOCKS, strict=True)
}

# Machado, Oliveira and Fernandes (2009), full severity
EYES = {
    "usual": np.eye(3),
    "no red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def light(colour):
    """Linear red, green and blue, 0 to 1."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    weights = np.array([0.2126, 0.7152, 0.0722])
    dark, bright = sorted(float(weights @ light(colour)) for colour in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def lab(linear):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, eye):
    """In CIELAB (CIE 1976), of which 2.3 is what an eye can just tell apart."""
    return float(np.linalg.norm(lab(EYES[eye] @ light(one)) - lab(EYES[eye] @ light(other))))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["ink", "muted", "in-sample", "out-of-sample", "holdout", "gain", "loss"])
@pytest.mark.parametrize("ground", ["surface", "page"])
def test_text_stands_out_from_its_ground(theme, text, ground):
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pair", [("gain", "loss"), ("in-sample", "out-of-sample")])
@pytest.mark.parametrize("eye", EYES)
def test_colours_that_mean_opposites_are_told_apart(theme, pair, eye):
    assert distance(THEMES[theme][pair[0]], THEMES[theme][pair[1]], eye) > 30


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_what_beats_and_what_is_beaten_are_told_apart_from_ink(theme, eye):
    """From what is inside its error shapes tell them apart: that is hollow, and its words say so."""
    colours = THEMES[theme]
    assert min(distance(colours[side], colours["ink"], eye) for side in ("gain", "loss")) > 15


@pytest.mark.parametrize("theme", THEMES)
def test_words_stand_out_from_every_shade_of_a_confusion(theme):
    """The shades are mixed in sRGB, as color-mix does it."""
    colours = THEMES[theme]
    shades = [int(share) for share in re.findall(r"color-mix\(in srgb, var\(--in-sample\) (\d+)%", CSS)]
    assert shades == [4 * step for step in range(11)]

    def mixed(share):
        pair = [[int(colours[name][i : i + 2], 16) for i in (1, 3, 5)] for name in ("in-sample", "surface")]
        return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(*pair, strict=True))

    assert min(contrast(colours["ink"], mixed(share / 100)) for share in shades) >= 4.5


def test_spans_are_told_apart_by_shape_too():
    assert svg.dot(1, 1, "dot").startswith("<circle")
    assert svg.dot(1, 1, "dot", diamond=True).startswith("<polygon")


def test_plain_red_and_green_would_not_pass():
    assert min(distance("#c62828", "#5a7a1e", eye) for eye in EYES) < 30


def test_both_themes_set_the_same_colours():
    assert set(THEMES["light"]) == set(THEMES["dark"])


def test_colours_stand_in_one_place():
    rest = CSS
    for block in BLOCKS:
        rest = rest.replace(block, "")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rest) == []


def test_every_colour_that_is_used_is_set():
    # what is drawn has one of these as its own colour
    own = set(re.findall(r"--(colour): var\(--[\w-]+\)", CSS))
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) - own == set(THEMES["light"])


def test_the_style_asks_for_nothing_from_elsewhere():
    assert [word for word in ("url(", "@import", "@font-face", "http") if word in CSS] == []


def test_spaces_are_on_the_grid():
    steps = [
        int(size)
        for declared in re.findall(r"(?:gap|margin[\w-]*): ([^;]+);", CSS)
        for size in itertools.chain.from_iterable(re.findall(r"(\d+)px", part) for part in declared.split())
    ]
    assert steps
    assert [size for size in steps if size % 8] == []


def test_words_have_only_colours_that_stand_out():
    """Lines may be faint; words may not."""
    readable = {"ink", "muted", "in-sample", "out-of-sample", "holdout", "gain", "loss"}
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)
    used = {colour for _, body in rules for colour in re.findall(r"(?<![\w-])color: var\(--([\w-]+)\)", body)}
    drawn = {
        colour
        for names, body in rules
        if re.search(r"svg text|svg \.(tick|note|nothing|inverse)", names)
        for colour in re.findall(r"fill: var\(--([\w-]+)\)", body)
    }
    assert used == readable
    # on a span's own colour
    assert drawn <= readable | {"surface"}
    for theme in THEMES.values():
        assert (
            min(contrast(theme["surface"], theme[span]) for span in ("in-sample", "out-of-sample", "holdout"))
            >= 4.5
        )
