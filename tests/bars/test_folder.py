import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlplugin.bars import DataSet, check_bars
from dlplugin.errors import BarsError
from dlplugin.resources import shipped_folder


def read_folder(folder: Path, date_format: str | None = None) -> dict[str, pd.DataFrame]:
    dataset = DataSet.from_folder(folder, date_format=date_format, strict=True)
    return {symbol: dataset[symbol] for symbol in dataset}


def refusal(folder: Path, **options: str) -> str:
    with pytest.raises(BarsError) as caught:
        read_folder(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_csv(bars: pd.DataFrame, path: Path, **options: object) -> None:
    bars.to_csv(path, **options)


def write_gz(bars: pd.DataFrame, path: Path) -> None:
    bars.to_csv(path.with_name(path.name + ".gz"))


def write_parquet(bars: pd.DataFrame, path: Path) -> None:
    bars.to_parquet(path.with_suffix(".parquet"))


def write_parquet_column(bars: pd.DataFrame, path: Path) -> None:
    bars.reset_index().to_parquet(path.with_suffix(".pq"), index=False)


WRITERS = {"csv": write_csv, "csv.gz": write_gz, "parquet": write_parquet, "pq": write_parquet_column}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_real_bars_come_back_to_the_last_bit_from_every_kind_of_file(tmp_path, us_stocks, writer):
    writer(us_stocks["IBM"], tmp_path / "IBM.csv")
    dataset = DataSet.from_folder(tmp_path)
    pd.testing.assert_frame_equal(dataset["IBM"], us_stocks["IBM"], check_exact=True)
    assert dataset.fingerprint["IBM"] == us_stocks.fingerprint["IBM"]


values = st.floats(min_value=1e-6, max_value=1e12)
extras = st.floats(allow_infinity=False)


@st.composite
def some_bars(draw: st.DrawFn) -> pd.DataFrame:
    """Two to eight valid bars of any resolution, with one extra column that may be NaN."""
    count = draw(st.integers(2, 8))
    unit = draw(st.sampled_from(["D", "h", "s", "ms", "ns"]))
    steps = np.cumsum(draw(st.lists(st.integers(1, 2000), min_size=count, max_size=count)))
    start = np.datetime64(draw(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01"))), "ns")
    prices = np.sort(draw(st.lists(st.tuples(*[values] * 4), min_size=count, max_size=count)), axis=1)
    return pd.DataFrame(
        {
            "open": prices[:, 1],
            "high": prices[:, 3],
            "low": prices[:, 0],
            "close": prices[:, 2],
            "volume": draw(st.lists(values, min_size=count, max_size=count)),
            "extra": draw(st.lists(extras, min_size=count, max_size=count)),
        },
        index=pd.DatetimeIndex(start + steps * np.timedelta64(1, unit), name="date"),
    )


@pytest.mark.filterwarnings("ignore::dlplugin.DLPluginWarning")  # prices between 1e-6 and 1e12 jump
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bars=some_bars(), kind=st.sampled_from(sorted(WRITERS)))
def test_any_bars_come_back_with_their_fingerprint_from_any_kind_of_file(tmp_path_factory, bars, kind):
    folder = tmp_path_factory.mktemp("bars")
    WRITERS[kind](bars, folder / "X.csv")
    assert DataSet.from_folder(folder).fingerprint == DataSet.from_frames("x", {"X": bars}).fingerprint


@pytest.mark.parametrize(
    "header",
    [
        "date,open,high,low,close,volume",
        "Date,Open,High,Low,Close,Volume",
        "DATETIME,OPEN,HIGH,LOW,CLOSE,VOLUME",
        "timestamp;open;high;low;close;volume",
        "Gmt time\topen\thigh\tlow\tclose\tvolume",
        ' Date , Open , High , Low , Close , "Volume"',
        ",Open,High,Low,Close,Volume",
        "\ufeffDate,Open,High,Low,Close,Volume",
        "\nDate,Open,High,Low,Close,Volume",
    ],
)
@pytest.mark.parametrize("dates", [("2004-01-02", "2004-01-05"), ("20040102", "20040105")])
def test_usual_headers_and_separators_are_read(tmp_path, header, dates):
    separator = next(mark for mark in ";\t," if mark in header)
    rows = [(dates[0], "1", "2.5", "1", "2", "10"), (dates[1], "2", "3.0", "2", "2.5", "20")]
    lines = [header, *(separator.join(row) for row in rows)]
    (tmp_path / "A.csv").write_text("\r\n".join(lines) + "\n\n", encoding="utf-8")
    (bars,) = read_folder(tmp_path).values()
    expected = pd.DataFrame(
        {"open": [1.0, 2], "high": [2.5, 3], "low": [1.0, 2], "close": [2.0, 2.5], "volume": [10.0, 20]},
        index=pd.DatetimeIndex(["2004-01-02", "2004-01-05"], name="date"),
    )
    pd.testing.assert_frame_equal(bars, check_bars(expected, "A"))


def test_the_adjusted_close_has_one_name(tmp_path, bars):
    for number, label in enumerate(("Adj Close", "adj close", "Adj. Close", "adj_close", "AdjClose")):
        write_csv(bars.rename(columns={"raw_close": label}), tmp_path / f"S{number}.csv")
    assert all("adj_close" in frame for frame in read_folder(tmp_path).values())


def test_dates_and_times_in_two_columns_are_put_together(tmp_path, bars):
    bars.index = bars.index + pd.Timedelta(hours=9)
    frame = bars.reset_index()
    frame.insert(1, "Time", frame["date"].dt.strftime("%H:%M"))
    frame["date"] = (
        frame["date"].dt.strftime("%Y%m%d").radd("").str.replace(r"(..)(..)$", r"-\1-\2", regex=True)
    )
    write_csv(frame, tmp_path / "A.csv", index=False)
    pd.testing.assert_frame_equal(read_folder(tmp_path)["A"], bars)


def test_the_symbol_is_the_file_name_and_other_files_are_passed_over(tmp_path, bars):
    for name in ("BRK.B.csv", "^GSPC.CSV", ".hidden.csv"):
        write_csv(bars, tmp_path / name)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "folder.csv").mkdir()
    assert DataSet.from_folder(tmp_path).symbols == ("BRK.B", "^GSPC")


def test_the_set_is_named_after_its_folder_unless_named(tmp_path, bars, monkeypatch):
    write_csv(bars, tmp_path / "A.csv")
    monkeypatch.chdir(tmp_path)
    assert DataSet.from_folder(".").name == tmp_path.name
    assert DataSet.from_folder(str(tmp_path), name="mine").name == "mine"
    assert DataSet.bundled("sp500").name == "sp500"


def test_the_home_folder_is_understood(tmp_path, bars, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "prices").mkdir()
    write_csv(bars, tmp_path / "prices" / "A.csv")
    assert DataSet.from_folder("~/prices").symbols == ("A",)


def test_ambiguous_dates_are_refused_and_a_date_format_reads_them(tmp_path, bars):
    bars = bars.iloc[:5]
    write_csv(bars, tmp_path / "A.csv", date_format="%d/%m/%Y")
    assert refusal(tmp_path) == (
        "A has dates such as '02/01/2004', in which no value tells the day from the month; write ISO dates "
        "such as 2020-04-03, or pass date_format='%d/%m/%Y' (or '%m/%d/%Y') to DataSet.from_folder"
    )
    dataset = DataSet.from_folder(tmp_path, date_format="%d/%m/%Y")
    pd.testing.assert_frame_equal(dataset["A"], bars)


def test_every_order_of_day_and_month_that_decides_is_read(tmp_path, us_stocks):
    write_csv(us_stocks["IBM"], tmp_path / "IBM.csv", date_format="%m/%d/%Y")
    write_csv(us_stocks["MMM"], tmp_path / "MMM.csv", date_format="%d.%m.%Y")
    assert DataSet.from_folder(tmp_path).fingerprint == us_stocks.subset(["IBM", "MMM"]).fingerprint


def test_unix_times_are_read_with_their_unit(tmp_path, bars):
    frame = bars.reset_index(names="timestamp")
    frame["timestamp"] = frame["timestamp"].to_numpy().astype("datetime64[ms]").astype("int64")
    write_csv(frame, tmp_path / "A.csv", index=False)
    pd.testing.assert_frame_equal(read_folder(tmp_path, date_format="ms")["A"], bars)
    assert "is not an ISO date" in refusal(tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path, bars):
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("none")
    write_csv(bars, tmp_path / "A.csv")
    assert refusal(missing) == f"there is no folder '{missing}'; name one with a CSV or Parquet file a symbol"
    assert refusal(tmp_path / "A.csv") == f"'{tmp_path / 'A.csv'}' is a file; name the folder that it lies in"
    assert refusal(empty) == (
        f"the folder '{empty}' has no .csv, .csv.gz or .parquet file; put one a symbol there"
    )


@pytest.mark.parametrize("second", ["A.parquet", "A.csv.gz", "a.csv"])
def test_two_files_of_one_symbol_are_refused(tmp_path, bars, second):
    write_csv(bars, tmp_path / "A.csv")
    if (tmp_path / second).exists():
        pytest.skip("this file system does not tell case")
    (tmp_path / second).write_bytes(b"any")
    first, symbol = ("A.csv", second.split(".")[0])
    assert refusal(tmp_path) == f"'{tmp_path}' has two files of {symbol}: {first} and {second}; keep one"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("A.csv.gz", b"date,open", "Not a gzipped file (b'da')"),
        (
            "A.csv.gz",
            gzip.compress(b"date,open\n" * 99, mtime=0)[:30],
            "Compressed file ended before the end-of-stream",
        ),
        ("A.csv", b"date,\xff\xfe\n", "'utf-8' codec can't decode byte 0xff"),
        ("A.csv", b"date,open\n1,2\n1,2,3\n", "Error tokenizing data"),
        ("A.parquet", b"no parquet at all", "Could not open Parquet input source"),
    ],
)
def test_an_unreadable_file_is_refused_with_its_path_and_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path).startswith(f"cannot read {tmp_path / name}: {reason}")


@pytest.mark.parametrize(
    ("name", "content"),
    [("A.csv", b""), ("A.csv", b"\n \n"), ("A.csv.gz", gzip.compress(b"", mtime=0)), ("A.parquet", b"")],
)
def test_an_empty_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path) == f"{tmp_path / name} is empty; write bars into it or remove it"


def test_a_header_alone_is_refused(tmp_path):
    (tmp_path / "A.csv").write_text("date,open,high,low,close,volume\n")
    assert refusal(tmp_path) == "A has fewer than 2 bars (0); load more history"


def test_rows_longer_than_the_header_are_refused(tmp_path):
    (tmp_path / "A.csv").write_text("date,open,high,low,close\n2020-01-02,1,1,1,1,5\n2020-01-03,1,1,1,1,5\n")
    assert refusal(tmp_path) == (
        f"{tmp_path / 'A.csv'} has rows of more values than its first line has names; name every column"
    )


def test_a_column_named_twice_is_refused(tmp_path):
    (tmp_path / "A.csv").write_text("date,open,high,low,close,close,volume\n2020-01-02,1,1,1,1,1,5\n")
    assert refusal(tmp_path) == "A has two columns 'close'; remove one"


def test_bars_that_are_wrong_are_refused_by_symbol_and_date(tmp_path):
    text = gzip.decompress((shipped_folder("datasets") / "us-stocks" / "AAPL.csv.gz").read_bytes()).decode()
    (tmp_path / "AAPL.csv").write_text(text.replace("1.51449,1.44888,1.49961", "1.51449,,1.49961"))
    assert refusal(tmp_path) == "AAPL has low nan at 2004-01-05; fill it or drop that bar"


def test_text_columns_are_refused(tmp_path, bars):
    write_csv(bars.assign(Symbol="AAPL"), tmp_path / "A.csv")
    assert refusal(tmp_path) == (
        "A has symbol 'AAPL' at 2004-01-02, which is not a number; remove the column, or write numbers"
    )
