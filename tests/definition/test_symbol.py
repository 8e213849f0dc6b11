"""The row's own symbol as an input: what is taken, what is refused, and how wide it is."""

from pathlib import Path

import numpy as np
import pytest

import dlplugin as dl
from dlplugin.definition import Definition
from dlplugin.errors import DefinitionError, ExpressionError
from tests.engines.test_embedding import Windows, windows  # noqa: F401  # a fixture

OUTPUTS = [dl.Output("ROC(5)", look_ahead=5)]
SYMBOL = dl.Input("symbol", categories=["AAPL", "IBM", "ON"], embedding=4)


def definition(*inputs: dl.Input | str, engine: object = "mlp") -> Definition:
    return Definition("pooled", list(inputs), OUTPUTS, engine)  # type: ignore[arg-type]


def test_json_yaml_and_a_plain_mapping_give_it_back() -> None:
    made = definition("RSI(14)", SYMBOL)
    assert made.to_dict()["inputs"][1]["categories"] == ["AAPL", "IBM", "ON"]
    assert made.to_dict()["inputs"][1]["embedding"] == 4
    for again in (
        Definition.from_json(made.to_json()),
        Definition.from_yaml(made.to_yaml()),
        Definition.from_dict(made.to_dict()),
        definition("RSI(14)", dl.Input(" symbol ", categories=np.array(["AAPL", "IBM", "ON"]), embedding=4)),
    ):
        assert again == made
        assert again.hash == made.hash
    others = [
        definition("RSI(14)", dl.Input("symbol", categories=values, embedding=size))
        for values, size in [
            (["IBM", "AAPL", "ON"], 4),
            (["AAPL", "IBM"], 4),
            (["AAPL", "IBM", "ON"], 3),
            (["AAPL", "IBM", "ON"], None),
        ]
    ]
    assert len({made.hash, *(other.hash for other in others)}) == 5


def test_a_file_holds_it_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "pooled.yaml"
    text = """\
name: pooled
inputs:
  - RSI(14)
  - {indicator: symbol, categories: [AAPL, IBM, ON], embedding: 4}
outputs:
  - {indicator: ROC(5), look_ahead: 5}
"""
    file.write_text(text)
    assert dl.TrainingPlan.read(file).definition == definition("RSI(14)", SYMBOL)
    file.write_text(definition("RSI(14)", SYMBOL).to_yaml())
    assert dl.TrainingPlan.read(file).definition == definition("RSI(14)", SYMBOL)
    file.write_text(text.replace("[AAPL, IBM, ON]", "[AAPL, 600519]"))
    with pytest.raises(DefinitionError) as error:
        dl.TrainingPlan.read(file)
    assert str(error.value) == (
        f"{file}, line 4: 'symbol' has the category 600519, but symbols are text; put each in quotes, such as '600519'"
    )


def test_it_stands_once_in_a_flat_row_and_in_every_bar_of_a_window(windows: Windows) -> None:  # noqa: F811
    rsi, hot = dl.Input("RSI(14)", depth=3, increment=2), dl.Input("symbol", categories=["AAPL", "IBM"])
    flat = definition(hot, rsi, SYMBOL, engine=dl.MLP(hidden=[]))
    assert flat.width == 2 + 3 + 3
    assert flat.shapes().row == (2 + 3 + 4,)
    assert flat.weights == (9 + 1) + 3 * 4
    window = definition(hot, rsi, SYMBOL, engine=windows)
    assert window.window == (3, 2)
    assert window.width == 3 * (2 + 1 + 3)
    assert window.shapes().row == (3, 2 + 1 + 4)
    for made in (flat, window):
        assert made.bars_needed == 14 + 4 + 1
        assert made.steady_bars == definition(rsi).steady_bars
        assert made.others == made.input_others == made.sources == ()
        assert [each.text for each in made.indicators] == ["RSI(close, timeperiod=14)"]
    alone = definition(hot)
    assert (alone.bars_needed, alone.steady_bars, alone.indicators) == (1, 1, ())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.Input("symbol"), "'symbol' needs the symbols that it can be; give categories=, such as "
         "categories=dataset.symbols"),
        (lambda: definition("RSI(14)", "symbol"), "'symbol' needs the symbols that it can be; give categories=, such "
         "as categories=dataset.symbols"),
        (lambda: dl.Input("symbol", embedding=4), "'symbol' needs the symbols that it can be; give categories=, such "
         "as categories=dataset.symbols"),
        (lambda: dl.Input("symbol", categories=[1, 2]),
         "'symbol' has the category 1, but symbols are text; put each in quotes, such as '1'"),
        (lambda: dl.Input("symbol", categories=["AAPL", 600519]),
         "'symbol' has the category 600519, but symbols are text; put each in quotes, such as '600519'"),
        (lambda: dl.Input("month", categories=[1, "AAPL"]),
         "'month' has the category 'AAPL', but its values are numbers; only those of dl.Input('symbol') are text"),
        (lambda: dl.Input("month", categories=["1"]),
         "'month' has the category '1', but its values are numbers; only those of dl.Input('symbol') are text"),
        (lambda: dl.Input("symbol", categories="AAPL"),
         "Input: categories is 'AAPL', but must be a list, such as [0, 1, 2] or dataset.symbols"),
        (lambda: dl.Input("symbol", categories=["AAPL", "IBM", "AAPL"]),
         "Input: categories is ('AAPL', 'IBM', 'AAPL'), but must hold 'AAPL' once only"),
        (lambda: dl.Input("symbol", categories=[]), "Input: categories is (), but must hold at least one value"),
        (lambda: dl.Input("symbol", categories=["AAPL", True]),
         "Input: categories is True, but should be a valid number"),
        (lambda: dl.Input("symbol", depth=3, categories=["AAPL"]),
         "'symbol' has depth=3, but a symbol is the same on every bar; leave out depth="),
        (lambda: dl.Input("symbol", increment=2, categories=["AAPL"], name="who"),
         "'who' has increment=2, but a symbol is the same on every bar; leave out increment="),
        (lambda: dl.Input("symbol", scaling="robust", categories=["AAPL"]),
         "'symbol' has categories, which are not scaled; leave out scaling='robust'"),
        (lambda: dl.Input("symbol", pooled=False, categories=["AAPL"]),
         "'symbol' has categories, which are not scaled; leave out pooled=False"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_value_and_the_fix(make, message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda: dl.Input("symbol * 2"), "column 1 of 'symbol * 2'"),
        (lambda: dl.Input("SMA(symbol, 3)", categories=[1]), "column 5 of 'SMA(symbol, 3)'"),
        (lambda: dl.Output("symbol", look_ahead=1), "column 1 of 'symbol'"),
        (lambda: dl.Input('of("SPY", symbol)'), "column 11 of 'of(\"SPY\", symbol)'"),
    ],
)
def test_an_expression_cannot_compute_with_it(make, place: str) -> None:
    with pytest.raises(ExpressionError) as error:
        make()
    assert str(error.value) == (
        "symbol is the symbol that a row is of, and no number; it stands alone, as dl.Input('symbol', "
        f"categories=dataset.symbols) ({place})"
    )


def test_an_engine_that_sees_changes_only_cannot_tell_symbols_apart() -> None:
    with pytest.raises(DefinitionError) as error:
        definition(dl.Input("RSI(14)", depth=3), SYMBOL, engine="nlinear")
    assert str(error.value) == (
        "engine 'nlinear' sees only how inputs change in a window, and the symbol does not; leave out "
        "dl.Input('symbol'), or use another engine"
    )
    assert definition(dl.Input("RSI(14)", depth=3), SYMBOL, engine="dlinear").width == 3 * 4


def test_windows_still_need_one_depth_for_all_other_inputs(windows: Windows) -> None:  # noqa: F811
    with pytest.raises(DefinitionError) as error:
        definition(SYMBOL, dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=2), engine=windows)
    assert str(error.value) == (
        "engine 'windows' reads windows, but 'RSI(14)' has depth 3 and increment 1, and 'ROC(5)' depth 2 and "
        "increment 1; give all inputs the same, or use engine='mlp'"
    )
