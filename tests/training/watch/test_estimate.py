"""What a training will take is told before it begins, and not far from the truth."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import dlplugin as dl
from dlplugin.errors import TrainingError
from dlplugin.samples import Samples, build_samples
from dlplugin.training.watch.estimate import Estimate, _duration, estimate, too_large_warning


def samples_of(dataset: dl.DataSet, engine: dl.MLP | None = None) -> Samples:
    model = dl.Model(
        "m",
        inputs=[dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=3)],
        outputs=[dl.Output("ROC(5)", look_ahead=5)],
        engine=engine or dl.MLP(),
        store=Path("unused"),
    )
    return build_samples(model.definition, dataset, dl.resolve_split(dataset, dl.Split()))


@pytest.fixture(scope="module")
def samples(two_stocks: dl.DataSet) -> Samples:
    return samples_of(two_stocks)


def test_weights_samples_and_epochs_are_counted(samples: Samples) -> None:
    told = estimate(samples, dl.TrainingOptions(epochs=70, networks=3))
    assert told.weights == 6 * 32 + 32 + 32 * 16 + 16 + 16 + 1
    assert (told.networks, told.epochs, told.may_stop) == (3, 70, True)
    assert told.seconds == pytest.approx(70 * told.seconds_an_epoch)
    assert told.effective_samples == samples.effective < len(samples.rows["in-sample"])


def test_without_an_end_it_tells_of_an_epoch_only(samples: Samples) -> None:
    told = estimate(samples, dl.TrainingOptions(epochs=None, batch_size="full"))
    assert told.seconds is None
    assert str(told).startswith("about ")
    assert " an epoch; " in str(told)
    blind = replace(samples, rows={"in-sample": samples.rows["in-sample"]})
    assert not estimate(blind, dl.TrainingOptions()).may_stop


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle", "warm-restarts", "on-plateau", "step"])
def test_epochs_of_one_minibatch_are_tried_beyond_the_last_one(samples: Samples, schedule: str) -> None:
    options = dl.TrainingOptions(epochs=1, batch_size="full", schedule=schedule, schedule_epochs=1)  # type: ignore[arg-type]
    told = estimate(samples, options)
    assert told.seconds == told.seconds_an_epoch > 0


def test_the_text_is_one_line() -> None:
    told = Estimate(0.013, 300, 3.9, True, 212_000_000, 1, 865, 2952.6)
    assert (
        str(told)
        == "about 3.9 s: up to 300 epochs of 13 ms; 0.2 GB of memory; 865 weights for 2,953 effective samples"
    )
    several = Estimate(61.0, 1, 61.0, False, 41_000_000, 5, 1865, 2952.6)
    assert (
        str(several)
        == "about 61 s: 1 epoch of 61 s; 41 MB of memory; 5 × 1,865 weights for 2,953 effective samples"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00004, "0.1 ms"),
        (0.0008, "0.8 ms"),
        (0.0047, "4.7 ms"),
        (0.0131, "13 ms"),
        (0.99, "990 ms"),
        (0.9999, "1 s"),
        (4.26, "4.3 s"),
        (99.0, "99 s"),
        (130.0, "2.2 min"),
        (7200.0, "2 h"),
        (400_000.0, "4.6 days"),
        (4e8, "4630 days"),
    ],
)
def test_times_are_told_in_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert _duration(seconds) == text


def test_time_is_that_of_a_real_run(tmp_path: Path, two_stocks: dl.DataSet, samples: Samples) -> None:
    """Within a factor of 3, the fastest of each side by side: other work on the machine only slows down."""
    options = dl.TrainingOptions(epochs=8, auto_stop=None, batch_size=16)
    definition = samples.definition
    model = dl.Model("m", inputs=definition.inputs, outputs=definition.outputs, store=tmp_path)
    told, real = [], []
    for _ in range(3):
        told.append(estimate(samples, options).seconds_an_epoch)
        real.append(model.train(two_stocks, options=options).history["seconds"].min())
    assert 1 / 3 < min(told) / min(real) < 3


def test_it_costs_a_small_network_no_noticeable_time(samples: Samples) -> None:
    options = dl.TrainingOptions(batch_size=16)
    estimate(samples, options)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        estimate(samples, options)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.3


def test_it_changes_nothing_of_a_training(tmp_path: Path, describe, two_stocks: dl.DataSet) -> None:
    options = dl.TrainingOptions(epochs=2)
    before = describe(tmp_path / "one").train(two_stocks, options=options).history
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    estimate(samples_of(two_stocks, dl.MLP(dropout=0.2)), options)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)
    after = describe(tmp_path / "two").train(two_stocks, options=options).history
    assert before.drop(columns="seconds").equals(after.drop(columns="seconds"))


def test_memory_grows_with_what_needs_it(two_stocks: dl.DataSet, samples: Samples) -> None:
    def of(samples: Samples, **options: object) -> int:
        return estimate(samples, dl.TrainingOptions(epochs=1, **options)).memory_bytes  # type: ignore[arg-type]

    plain = of(samples)
    wide = samples_of(two_stocks, dl.MLP(hidden=[256, 256]))
    weights = (6 + 1) * 256 + (256 + 1) * 256 + 256 + 1
    assert of(wide) - plain > 4 * weights * 8
    assert of(wide, networks=2) - of(wide) > 4 * weights * 8
    assert (
        of(wide, averaging=0.99) - of(wide) == 4 * 4 * weights
    )  # itself, and three times while it is written
    assert of(wide, batch_size="full") - of(wide) > 2 * 4 * 256 * 2000


def test_a_device_that_is_not_there_is_named(samples: Samples) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(TrainingError, match="device is 'gpu', but there is none"):
        estimate(samples, dl.TrainingOptions(device="gpu"))


def test_more_weights_than_effective_samples_are_worth_a_warning() -> None:
    assert too_large_warning(1000, 1000.0) is None
    assert too_large_warning(None, 10.0) is None
    assert too_large_warning(10, None) is None
    assert too_large_warning(8651, 2952.6) == (
        "the network has 8,651 weights for 2,953 effective samples: enough to learn them by heart"
    )


PEAK = """
import json, sys
from pathlib import Path
import dlplugin as dl
from dlplugin.samples import build_samples
from tests.training.watch.test_estimate import samples_of
from dlplugin.training.watch.estimate import estimate
import lightning, torch

def peak():
    # not ru_maxrss, which begins with that of the process it was started from
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    return int(line.split()[1]) * 1024

symbols, hidden, options = json.loads(sys.argv[1])
dataset = dl.DataSet.bundled("us-stocks").subset(symbols)
samples = samples_of(dataset, dl.MLP(hidden=hidden))
small = samples_of(dl.DataSet.bundled("us-stocks").subset(["IBM"]))
store = Path(sys.argv[2])
settings = dl.TrainingOptions(epochs=2, auto_stop=None, **options)

def train(samples, name, settings):
    definition = samples.definition
    model = dl.Model(name, inputs=definition.inputs, outputs=definition.outputs, engine=definition.engine, store=store)
    model.train(dl.DataSet.bundled("us-stocks").subset(samples.symbols), options=settings)

if sys.argv[3] == "estimate":
    print(estimate(samples, settings).memory_bytes)
else:
    train(small, "warm", dl.TrainingOptions(epochs=1))
    before = peak()
    train(samples, "real", settings)
    print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read as Linux tells it")
@pytest.mark.parametrize(
    ("hidden", "options"),
    [
        ([1024, 1024], {"networks": 4}),
        ([512] * 6, {"batch_size": 4096}),
    ],
)
def test_memory_is_that_of_a_real_run(tmp_path: Path, hidden: list[int], options: dict[str, object]) -> None:
    """Within a factor of 2 of what a training adds to the peak of its process, which has trained a small one before."""
    case = json.dumps([["AAPL", "IBM"], hidden, options])

    def of(what: str) -> int:
        command = [sys.executable, "-c", PEAK, case, str(tmp_path / what), what]
        return int(
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.split()[
                -1
            ]
        )

    told, real = of("estimate"), of("train")
    assert real / 2 < told < 2 * real, f"told {told / 1e6:.0f} MB, measured {real / 1e6:.0f} MB"
