"""Samples that were written to a file are the same when read, to the bit, or refused."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load, save

import dlplugin as dl
from dlplugin.errors import DamagedModelError, SamplesError
from dlplugin.samples import Samples, Scaling, build_samples, read_samples, samples_file
from dlplugin.samples.stored import _digest

Describe = Callable[..., dl.Model]


def build(definition, dataset: dl.DataSet, split: dl.Split | None = None, **weights) -> Samples:
    return build_samples(definition, dataset, dl.resolve_split(dataset, split or dl.Split()), **weights)


@pytest.fixture(scope="module")
def built(two_stocks: dl.DataSet, describe: Describe) -> Samples:
    return build(describe(".").definition, two_stocks)


@pytest.fixture(scope="module")
def content(built: Samples) -> bytes:
    return samples_file(built)


def assert_same(one: Samples, other: Samples) -> None:
    """Every field, to the bit and with its type."""
    for field in fields(Samples):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if isinstance(first, pd.DataFrame):
            pd.testing.assert_frame_equal(second, first, check_exact=True)
        elif isinstance(first, Scaling):
            assert second.to_dict() == first.to_dict()
        else:
            assert plain(second) == plain(first), field.name
    assert one.fingerprint == other.fingerprint


def plain(value: object) -> object:
    """What can be compared: arrays as their bytes."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return [(key, plain(item)) for key, item in value.items()]
    if type(value).__name__ == "RowLayout":
        return plain(vars(value))
    return value


@pytest.mark.parametrize(
    ("changes", "split"),
    [
        ({}, dl.Split()),
        ({}, dl.Split(0.7, 0.0)),
        ({}, dl.Split(0.5, 0.3, embargo=5)),
        ({"inputs": [dl.Input("ROC(5)", pooled=False, clip=2.0), dl.Input("RSI(14)")]}, dl.Split(1.0, 0.0)),
        ({"inputs": [dl.Input("day_of_week", categories=[0, 1, 2, 3, 4]), dl.Input("RSI(14)")]}, dl.Split()),
    ],
    ids=["three spans", "none out of sample", "embargo", "scaled by symbol", "categories"],
)
def test_samples_come_back_as_they_were(
    two_stocks: dl.DataSet, describe: Describe, tmp_path: Path, changes: dict[str, object], split: dl.Split
) -> None:
    samples = build(describe(".", **changes).definition, two_stocks, split)
    path = tmp_path / "samples.safetensors"
    path.write_bytes(samples_file(samples))
    for source in (path, path.read_bytes()):
        assert_same(samples, read_samples(source, samples.definition))
    assert samples_file(read_samples(path, samples.definition)) == path.read_bytes()


def test_weights_come_back_as_they_were(built: Samples, two_stocks: dl.DataSet) -> None:
    weighted = build(built.definition, two_stocks, half_life=250.0, uniqueness=True)
    assert weighted.weights is not None
    assert_same(weighted, read_samples(samples_file(weighted), built.definition))


def test_every_payload_of_a_nan_and_the_sign_of_a_zero_survive(built: Samples) -> None:
    matrix, actual = built.matrix.copy(), built.actual.copy()
    matrix[0] = [-0.0, np.inf, np.float32(1e-45)]
    matrix.view(np.uint32)[1, 0] = 0x7FC12345
    actual.view(np.uint64)[0, 0] = 0xFFF8000000000123
    odd = replace(built, matrix=matrix, actual=actual)
    assert_same(odd, read_samples(samples_file(odd), built.definition))


def test_what_was_read_can_be_written_to_as_what_was_built_can(content: bytes, built: Samples) -> None:
    again = read_samples(content, built.definition)
    for array in (again.matrix, again.targets, again.actual, again.times, *again.rows.values()):
        assert array.flags.writeable  # PyTorch warns of others
        assert array.flags.c_contiguous


def test_another_process_reads_the_same_samples(content: bytes, built: Samples, tmp_path: Path) -> None:
    path = tmp_path / "samples.safetensors"
    path.write_bytes(content)
    (tmp_path / "definition.json").write_text(json.dumps(built.definition.to_dict()))
    code = (
        "import json, pathlib, sys; from dlplugin.definition import Definition; "
        "from dlplugin.samples import read_samples; folder = pathlib.Path(sys.argv[1]); "
        "definition = Definition.from_dict(json.loads((folder / 'definition.json').read_text())); "
        "print(read_samples(folder / 'samples.safetensors', definition).fingerprint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == built.fingerprint


def test_a_file_that_is_cut_short_or_altered_anywhere_is_refused_in_one_line(
    content: bytes, built: Samples
) -> None:
    rng = np.random.default_rng(0)
    header = int.from_bytes(content[:8], "little")
    places = [0, 3, 7, *rng.integers(8, 8 + header, 60), *rng.integers(8 + header, len(content), 20)]
    damaged = []
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1
        damaged.append(bytes(altered))
    damaged += [content[:length] for length in (0, 7, 8, 100, len(content) // 2, len(content) - 1)]
    for each in [*damaged, content + b"\0"]:
        with pytest.raises(DamagedModelError) as error:
            read_samples(each, built.definition)
        assert str(error.value).startswith("the samples' file ")
        assert "\n" not in str(error.value)


def test_messages_name_the_file_and_what_is_wrong(content: bytes, built: Samples, tmp_path: Path) -> None:
    def message(path: Path) -> str:
        with pytest.raises(DamagedModelError) as error:
            read_samples(path, built.definition)
        return str(error.value)

    path = tmp_path / "samples.safetensors"
    assert message(path) == f"{path} is missing"
    assert message(tmp_path) == f"{tmp_path} cannot be read: Is a directory"
    path.write_bytes(save({"weights": np.zeros(3)}))
    assert message(path) == f"{path} holds no samples, but: weights"
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert message(path) == f"{path} is not the file that was written: its SHA-256 differs"
    path.write_bytes(with_facts(content, format=2))
    assert message(path) == f"{path} has format 2, but this version reads format 1"
    path.write_bytes(with_facts(content, counts=None))
    assert message(path).startswith(f"{path} does not hold samples: ")


def with_facts(content: bytes, **changes: object) -> bytes:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    facts = json.loads(header["__metadata__"]["samples"]) | changes
    del facts["sha256"]
    tensors = load(content)
    return save(tensors, metadata={"samples": json.dumps(facts | {"sha256": _digest(facts, tensors)})})


def test_samples_of_another_definition_are_refused(
    content: bytes, built: Samples, describe: Describe
) -> None:
    other = describe(".", "other", inputs=[dl.Input("RSI(15)", depth=3)]).definition
    with pytest.raises(SamplesError) as error:
        read_samples(content, other)
    assert str(error.value) == (
        f"the samples' file holds those of definition {built.definition.hash[:12]}, not of 'other' "
        f"({other.hash[:12]}); build them again"
    )
