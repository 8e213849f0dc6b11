import re

import pytest

from dlplugin.bars import BUNDLED, DataSet
from dlplugin.bars.bundled import bundled_folder
from dlplugin.errors import BarsError
from dlplugin.resources import shipped_folder


def test_the_sets_listed_are_the_sets_shipped():
    assert {path.name for path in shipped_folder("datasets").iterdir() if path.is_dir()} == set(BUNDLED)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_readme_tells_what_the_files_hold(name):
    lines = (shipped_folder("datasets") / "README.md").read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith(f"| {name} |"))
    dataset = DataSet.bundled(name)
    table = dataset.describe()
    assert f"{table['bars'].sum():,} bars" in row
    if name == "us-stocks":
        assert re.findall(r"\b[A-Z]{3,4}\b", row.split(", daily")[0]) == list(dataset.symbols)
        assert f"GOOG (from {table.loc['GOOG', 'first'].date()})" in row
    if name != "eurusd-1h":
        assert f"{table['first'].min().date()} … {table['last'].max().date()}" in row


def test_the_readme_names_the_survivorship_bias_and_whose_prices_they_are():
    text = (shipped_folder("datasets") / "README.md").read_text(encoding="utf-8")
    assert "survivorship bias" in text
    assert "A package's licence covers the package; prices are facts" in text


def test_no_bundled_bar_is_without_volume():
    for name in BUNDLED:
        dataset = DataSet.bundled(name)
        assert all((dataset[symbol]["volume"] > 0).all() for symbol in dataset)


def test_an_unknown_set_is_refused_with_the_nearest_and_the_list():
    with pytest.raises(BarsError) as caught:
        DataSet.bundled("us-stock")
    assert str(caught.value) == (
        "unknown bundled DataSet 'us-stock'; did you mean 'us-stocks'? there are: us-stocks, sp500, eurusd-1h"
    )


def test_an_incomplete_installation_is_told(monkeypatch):
    def missing(name: str) -> None:
        raise FileNotFoundError(f"the folder {name!r} is not part of this installation of dlplugin")

    monkeypatch.setattr("dlplugin.bars.bundled.shipped_folder", missing)
    with pytest.raises(
        BarsError, match=r"^the folder 'datasets' is not part of this installation of dlplugin$"
    ):
        bundled_folder("sp500")
