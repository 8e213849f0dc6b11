"""The ACL18 protocol of stock movement prediction, through the public API alone.

88 US stocks of Xu and Cohen (2018) in the form that Feng et al. (2019) gave them: eleven features of five
days, up or down on the next day, days that move little left out. Bring the prices:

    python benchmarks/acl18.py --prices raw_ohlcv.parquet

It exits with 1 and says what is off unless the samples are exactly those of the protocol, and the figures
of the test span are those that the method is known for.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console

import dlplugin as dl
from dlplugin.evaluation import ClassScores
from dlplugin.evaluation.uncertainty import mean_with_error

LEFT_OUT = ["GMRE"]
COLUMNS = ["open", "high", "low", "close", "adj_close", "volume"]
MEANS = (5, 10, 15, 20, 25, 30)
DEPTH = 5
DOWN, UP = -0.5, 0.55  # percent
OUTPUT = "ROC(adj_close, 1)"
TEST = (datetime(2015, 10, 1), datetime(2015, 12, 31))  # of the output's day, as all dates of a split
SPLIT = dl.Split(
    start=datetime(2014, 1, 2), in_sample_end=datetime(2015, 7, 31), holdout_start=TEST[0], end=TEST[1]
)
EPOCHS = 150

COUNTS = {"in-sample": 20_315, "out-of-sample": 2_555, "holdout": 3_720}
RULES = {"always up": 0.5129, "below the 10-day mean": 0.5323}
ACCURACY, CORRELATION = (0.535, 0.565), (0.07, 0.13)  # of the mean over the seeds

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Of predicted classes: accuracy and Matthews correlation, each with its standard error clustered by days."""

    accuracy: float
    accuracy_error: float
    correlation: float = float("nan")
    correlation_error: float = float("nan")

    def __str__(self) -> str:
        accuracy = f"{100 * self.accuracy:6.2f} ± {100 * self.accuracy_error:4.2f} %"
        if np.isnan(self.correlation):
            return f"{accuracy}        –       "
        return f"{accuracy}  {self.correlation:6.3f} ± {self.correlation_error:.3f}"


def bars(prices: Path, dates: Path) -> dict[str, pd.DataFrame]:
    """Each symbol's bars on the listed dates, without the symbols that the protocol leaves out.

    Args:
        prices: A Parquet file with the columns symbol, date and `COLUMNS`.
        dates: A text file with a date a line.
    """
    table = pd.read_parquet(prices)
    listed = pd.to_datetime(pd.read_csv(dates, header=None)[0])
    table = table[table["date"].isin(listed) & ~table["symbol"].isin(LEFT_OUT)]
    return {str(symbol): own.set_index("date")[COLUMNS] for symbol, own in table.groupby("symbol")}


def described(store: Path) -> dl.Model:
    """The model of the protocol: eleven features of five days, ALSTM with 4 units."""
    expressions = [f"100 * ({price} / close - 1)" for price in ("open", "high", "low")]
    expressions += ["ROC(close, 1)", "ROC(adj_close, 1)"]
    expressions += [f"100 * (SMA(adj_close, {k}) / adj_close - 1)" for k in MEANS]
    return dl.Model(
        "acl18",
        [dl.Input(expression, depth=DEPTH, scaling="none") for expression in expressions],
        [dl.Output(OUTPUT, look_ahead=1, classes=[DOWN, UP], drop="middle")],
        dl.ALSTM(features=len(expressions), hidden=4),  # the feature layer is as wide as the features
        store=store,
    )


def options(seed: int) -> dl.TrainingOptions:
    """Hinge loss plus half the squared output layer, Adam, and the weights of the best validation accuracy."""
    return dl.TrainingOptions(
        epochs=EPOCHS,
        auto_stop=None,
        batch_size=1024,
        optimizer="adam",
        learning_rate=0.01,
        class_loss="hinge",
        l2=1.0,
        penalty_on="output",
        initialisation="xavier",
        zero_biases=True,
        monitor="accuracy",
        seed=seed,
        device="cpu",
    )


def came(dataset: dl.DataSet) -> pd.DataFrame:
    """What came on the test span, and what trivial rules say.

    Returns:
        A row a sample, under (day of bar t, symbol): "up", 1 or 0, and a column for each rule.
    """
    tables = {}
    for symbol in dataset.symbols:
        price = dataset[symbol]["adj_close"]
        move = 100 * (price.shift(-1) / price - 1)
        day = price.index.to_series().shift(-1)
        mean = price.rolling(10).mean()
        table = pd.DataFrame({"up": move >= UP, "always up": True, "below the 10-day mean": price < mean})
        tables[symbol] = table[((move <= DOWN) | (move >= UP)) & (day >= TEST[0]) & (day <= TEST[1])]
    return pd.concat(tables).swaplevel().astype(np.float64)


def opened(model: dl.Model) -> Score:
    """What the model's evaluation says of the test span."""
    *_, scores = model.open_holdout(reason="the test span of the ACL18 protocol").scores(OUTPUT)
    if not isinstance(scores, ClassScores) or scores.span != "holdout":
        raise TypeError(f"the test span's scores are {scores}")
    return Score(scores.accuracy, scores.errors.accuracy, scores.correlation, scores.errors.correlation)


def predicted(model: dl.Model, dataset: dl.DataSet, samples: pd.DataFrame) -> FloatArray:
    """(S,) the classes that the model names, 1 for up."""
    named = {symbol: model.predict(dataset[symbol])[OUTPUT] for symbol in dataset.symbols}
    return np.asarray(pd.concat(named).swaplevel().loc[samples.index], dtype=np.float64)


def score(named: Sequence[FloatArray], up: FloatArray, days: NDArray[np.datetime64]) -> Score:
    """The mean over predictors of their figures; the errors are those of that mean.

    The correlation's error is that of the mean of its influence function, z_n z_u - r (z_n² + z_u²) / 2
    with the standardised classes z.

    Args:
        named: (S,) the classes that each predictor named.
        up: (S,) the classes that came.
        days: (S,).
    """
    hits = np.mean([one == up for one in named], axis=0)
    accuracy = mean_with_error(hits, days, 1)
    if any(one.min() == one.max() for one in named):
        return Score(*accuracy)
    influences, correlations = [], []
    came = (up - up.mean()) / up.std()
    for one in named:
        said = (one - one.mean()) / one.std()
        correlations.append(float((said * came).mean()))
        influences.append(said * came - correlations[-1] / 2 * (said**2 + came**2))
    _, error = mean_with_error(np.mean(influences, axis=0), days, 1, fitted=2)
    return Score(*accuracy, float(np.mean(correlations)), error)


def faults(counts: dict[str, int], rules: dict[str, float], model: Score) -> list[str]:
    """What is not as the protocol has it, a line for each."""
    found = [
        f"{span} has {counts.get(span, 0):,} samples, not {count:,}"
        for span, count in COUNTS.items()
        if counts.get(span) != count
    ]
    found += [
        f"{rule} hits {100 * rules[rule]:.2f} %, not {100 * known:.2f} %"
        for rule, known in RULES.items()
        if round(rules[rule], 4) != known
    ]
    (low, high), (least, most) = ACCURACY, CORRELATION
    if not low <= model.accuracy <= high:
        found.append(f"accuracy is {100 * model.accuracy:.2f} %, not {100 * low:.1f} to {100 * high:.1f} %")
    if not least <= model.correlation <= most:
        found.append(f"correlation is {model.correlation:.3f}, not {least:.2f} to {most:.2f}")
    return found


def measure(dataset: dl.DataSet, seeds: int) -> list[str]:
    """Trains a run a seed, prints each beside the trivial rules, and gives what is off.

    Each is judged twice: by its evaluation, and from its predictions and the prices, sample by sample.
    """
    samples = came(dataset)
    days = samples.index.get_level_values(0).to_numpy()
    up = samples["up"].to_numpy()
    print(
        f"test span: {len(up):,} samples on {len(np.unique(days))} days; ± one standard error, days clustered"
    )
    print(f"{'':22}      accuracy     Matthews corr.")
    rules = {name: score([samples[name].to_numpy()], up, days) for name in RULES}
    for name, one in rules.items():
        print(f"{name:22}{one}", flush=True)
    named, counts = [], {}
    apart: list[str] = []
    with TemporaryDirectory() as store:
        model = described(Path(store))
        for seed in range(seeds):
            begin = time.perf_counter()
            model.train(dataset, SPLIT, options(seed), Console(quiet=True))
            counts = {span: int(each["samples"]) for span, each in model.record["counts"].items()}
            named.append(predicted(model, dataset, samples))
            took = time.perf_counter() - begin
            one, by_sample = opened(model), score(named[-1:], up, days)
            if not np.allclose(astuple(one), astuple(by_sample), equal_nan=True):
                apart.append(f"seed {seed} has {one} by its evaluation, but {by_sample} by its predictions")
            print(f"{f'seed {seed}':22}{one}   epoch {model.best_epoch:3}, {took:4.1f} s", flush=True)
    mean = score(named, up, days)
    print(f"{f'mean of {seeds} seeds':22}{mean}")
    print("samples: " + ", ".join(f"{span} {count:,}" for span, count in counts.items()))
    return apart + faults(counts, {name: one.accuracy for name, one in rules.items()}, mean)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--prices", type=Path, required=True, help="Parquet file of the raw prices")
    parser.add_argument(
        "--dates", type=Path, help="CSV file of the dates; trading_dates.csv beside the prices"
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many runs; 10 by default")
    args = parser.parse_args(arguments)
    dates = args.dates or args.prices.with_name("trading_dates.csv")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DLPluginWarning)  # three symbols have days without a trade
        found = measure(dl.DataSet.from_frames("acl18", bars(args.prices, dates)), args.seeds)
    for fault in found:
        print(f"off: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
