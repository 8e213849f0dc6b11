"""`dlplugin data check`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlplugin.actions import check_data
from dlplugin.cli import run


@pytest.fixture
def folder(tmp_path: Path, us_stocks) -> Path:
    """A good file, one to mend, one to look at, one that is refused, and one that is no file of bars."""
    prices = tmp_path / "prices"
    prices.mkdir()
    frames = {symbol: us_stocks[symbol].iloc[:300] for symbol in ("AAPL", "AMD", "GPS", "IBM")}
    frames["AMD"].iloc[9, :4] = np.nan
    frames["GPS"].iloc[40:, :4] /= 2
    frames["IBM"].iloc[7, 3] = -1.0
    for symbol, frame in frames.items():
        frame.to_csv(prices / f"{symbol}.csv")
    (prices / "MMM.csv").write_text("date,open\n2020-01-01,\n")
    return prices


def test_it_says_what_is_refused_warned_about_and_mended(folder: Path, capsys) -> None:
    assert run(["data", "check", str(folder)]) == 1
    assert capsys.readouterr().out == (
        "refused\n"
        "  price not above 0  IBM has close -1.0 at 2004-01-13; prices are above 0: correct it or drop that bar\n"
        "  not bars           MMM has no column 'high'; the columns are: open\n"
        "\n"
        "warned\n"
        "  unadjusted split  GPS has a jump down by 1.99 at 2004-03-02, like an unadjusted split of 2:1; adjust "
        "the bars before it if it is one\n"
        "\n"
        "mended\n"
        "  missing bar  AMD has no prices at 2004-01-15; dropped\n"
        "\n"
        "prices: 3 of 5 symbols can be used, 899 bars of 1d\n"
    )


def test_what_is_fine_or_mended_passes_unless_it_is_to_be_strict(folder: Path, capsys) -> None:
    for symbol in ("IBM", "MMM", "GPS"):
        (folder / f"{symbol}.csv").unlink()
    assert run(["data", "check", str(folder)]) == 0
    assert run(["data", "check", str(folder), "--strict"]) == 1
    assert "AMD has no prices at 2004-01-15; drop that bar" in capsys.readouterr().out
    assert run(["data", "check", "sp500"]) == 0
    assert capsys.readouterr().out == (
        "sp500: 1 of 1 symbols can be used, 5,031 bars of 1d; nothing was found\n"
    )


def test_json_is_the_plain_result(folder: Path, capsys) -> None:
    assert run(["data", "check", str(folder), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    result = check_data(str(folder))
    assert printed == result.to_dict()
    assert (printed["passed"], printed["interval"]) == (False, "1d")
    assert printed["bars"] == {"AAPL": 300, "AMD": 299, "GPS": 300}
    assert set(printed["left_out"]) == {"IBM", "MMM"}
    mended = printed["findings"][0]
    assert (mended["symbol"], mended["grade"], mended["dates"]) == ("AMD", "mended", ["2004-01-15T00:00:00"])
    assert run(["data", "check", "--grades", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["trouble"] == "not bars"


def test_dates_may_be_written_in_another_way(tmp_path: Path, us_stocks, capsys) -> None:
    us_stocks["AAPL"].iloc[:5].to_csv(tmp_path / "A.csv", date_format="%d/%m/%Y")
    assert run(["data", "check", str(tmp_path)]) == 1
    assert run(["data", "check", str(tmp_path), "--date-format", "%d/%m/%Y"]) == 0
    assert "5 bars of 1d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["us-stoks"],
            "there is no folder 'us-stoks' and no bundled DataSet of that name; did you mean 'us-stocks'? "
            "there are: us-stocks, sp500, eurusd-1h",
        ),
        (["./none"], "there is no folder 'none'; name one with a CSV or Parquet file a symbol"),
        ([], "name a folder or a bundled set, such as: dlplugin data check us-stocks"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(arguments: list[str], message: str, capsys) -> None:
    assert run(["data", "check", *arguments]) == 2
    assert capsys.readouterr().err == f"dlplugin: {message}\n"


def test_a_check_of_nothing_usable_still_reports(tmp_path: Path, us_stocks, capsys) -> None:
    us_stocks["AAPL"].assign(volume=-1.0).to_csv(tmp_path / "A.csv")
    assert run(["data", "check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.endswith(": 0 of 1 symbols can be used\n")
    assert isinstance(check_data(str(tmp_path)).findings[0].dates[0], pd.Timestamp)
