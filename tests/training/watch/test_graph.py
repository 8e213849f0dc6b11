"""What a live graph shows of a history that grows, is pruned, cut and done again."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlplugin.errors import DamagedModelError, DefinitionError
from dlplugin.training.watch import graph as graph_module
from dlplugin.training.watch.graph import Graph

HEAD = "epoch,in_sample_loss,out_of_sample_loss,learning_rate,seconds,saved\n"


def lines(first: int, last: int, seconds: float = 0.01) -> str:
    return "".join(
        f"{epoch},{1 / epoch!r},{2 / epoch!r},0.001,{seconds:.6f},{int(epoch % 7 == 0)}\n"
        for epoch in range(first, last + 1)
    )


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.csv"
    path.write_text(HEAD + lines(1, 250))
    return path


def append(path: Path, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)


def epochs(graph: Graph) -> list[int]:
    return list(graph.every["epoch"])


def test_every_epoch_is_a_point_with_all_its_values(history: Path) -> None:
    points = Graph(history).every
    assert list(points.columns) == HEAD.strip().split(",")
    assert points["epoch"].dtype == np.int64
    assert list(points["epoch"]) == list(range(1, 251))
    np.testing.assert_array_equal(points["out_of_sample_loss"], 2 / np.arange(1, 251))
    assert list(points.loc[points["saved"] == 1, "epoch"]) == list(range(7, 251, 7))


def test_the_hundredth_view_shows_the_values_of_each_hundredth_epoch_themselves(history: Path) -> None:
    graph = Graph(history)
    assert list(graph.hundredth["epoch"]) == [100, 200]
    assert list(graph.hundredth["in_sample_loss"]) == [0.01, 0.005]
    append(history, lines(251, 300))
    assert list(graph.hundredth["epoch"]) == [100, 200, 300]


def test_only_new_lines_are_read_and_a_line_under_way_waits_for_its_end(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph(history)
    graph.every  # noqa: B018
    parsed: list[bytes] = []
    take = Graph._take
    monkeypatch.setattr(Graph, "_take", lambda self, text: (parsed.append(text), take(self, text))[1])
    append(history, lines(251, 252) + "253,0.0")
    assert epochs(graph)[-2:] == [251, 252]
    assert epochs(graph)[-1] == 252
    append(history, "1,0.02,0.001,0.010000,0\n")
    assert graph.every["in_sample_loss"].iloc[-1] == 0.01
    assert [text.count(b"\n") for text in parsed] == [2, 1]


def test_prune_drops_the_oldest_points_and_new_epochs_appear(history: Path) -> None:
    graph = Graph(history)
    graph.prune(100)
    assert epochs(graph) == list(range(101, 251))
    assert list(graph.hundredth["epoch"]) == [200]
    graph.prune(100)
    append(history, lines(251, 260))
    assert epochs(graph) == list(range(201, 261))
    graph.prune(1000)
    assert epochs(graph) == []
    append(history, lines(261, 262))
    assert epochs(graph) == [261, 262]


def test_clear_drops_all_so_far_also_what_no_one_looked_at_yet(history: Path) -> None:
    graph = Graph(history)
    graph.clear()
    assert epochs(graph) == []
    assert graph.hundredth.empty
    append(history, lines(251, 251))
    assert epochs(graph) == [251]


def test_auto_prune_keeps_the_newest_points(history: Path) -> None:
    graph = Graph(history)
    graph.auto_prune = 60
    assert epochs(graph) == list(range(191, 251))
    append(history, lines(251, 255))
    assert epochs(graph) == list(range(196, 256))
    graph.auto_prune = 3
    assert len(graph._held()) == 3
    assert epochs(graph) == [253, 254, 255]


def test_reset_shows_all_again_and_the_file_was_never_touched(history: Path) -> None:
    before = history.read_bytes()
    graph = Graph(history)
    graph.auto_prune = 5
    graph.prune(2)
    graph.clear()
    graph.reset()
    assert epochs(graph) == list(range(1, 251))
    assert graph.auto_prune is None
    assert history.read_bytes() == before


def cut_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def written_anew(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


@pytest.mark.parametrize("rewrite", [cut_in_place, written_anew])
@pytest.mark.parametrize("last", [150, 250, 400])
def test_epochs_that_were_cut_off_and_done_again_replace_the_old_ones(
    history: Path, rewrite: Callable[[Path, str], None], last: int
) -> None:
    graph = Graph(history)
    graph.prune(100)
    rewrite(history, HEAD + lines(1, 120) + lines(121, last, seconds=0.02))
    points = graph.every
    assert list(points["epoch"]) == list(range(101, last + 1))
    assert (points["seconds"] == np.where(points["epoch"] > 120, 0.02, 0.01)).all()


def test_a_file_written_anew_is_read_anew_even_if_it_looks_the_same_where_the_old_one_ended(
    history: Path,
) -> None:
    graph = Graph(history)
    assert (graph.every["seconds"] == 0.01).all()
    written_anew(history, HEAD + lines(1, 120) + lines(121, 249, seconds=0.02) + lines(250, 250))
    assert (graph.every["seconds"] == 0.02).sum() == 129


def test_epochs_done_again_appear_on_a_cleared_graph(history: Path) -> None:
    graph = Graph(history)
    graph.clear()
    written_anew(history, HEAD + lines(1, 200))
    assert epochs(graph) == []
    append(history, lines(201, 202))
    assert epochs(graph) == [201, 202]


def test_with_auto_prune_a_long_history_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "BYTES_AT_ONCE", 10_000)
    path = tmp_path / "history.csv"
    path.write_text(HEAD + lines(1, 20_000))
    graph = Graph(path)
    graph.auto_prune = 50
    most = 0
    take = Graph._take

    def watched(self: Graph, text: bytes) -> None:
        nonlocal most
        take(self, text)
        most = max(most, sum(len(block) for block in self._blocks))

    monkeypatch.setattr(Graph, "_take", watched)
    assert epochs(graph) == list(range(19_951, 20_001))
    assert most == 50
    assert graph._held().base is None
    assert list(graph.hundredth["epoch"]) == [20_000]


def test_without_an_epoch_it_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    for text in ("", "epoch,in_sa", HEAD):
        path.write_text(text)
        graph = Graph(path)
        assert epochs(graph) == []
        graph.prune(3)
        graph.clear()
        assert repr(graph) == "<Graph: no epoch>"
    append(path, lines(1, 2))
    assert repr(graph) == "<Graph: epochs 1 to 2>"


@pytest.mark.parametrize("wrong", [0, -3, 1.5, True, "100"])
def test_a_wrong_number_of_epochs_is_refused(history: Path, wrong: int) -> None:
    graph = Graph(history)
    with pytest.raises(DefinitionError) as error:
        graph.prune(wrong)
    assert str(error.value) == f"prune is {wrong!r}, but must be a number of epochs, such as 100"
    with pytest.raises(DefinitionError, match="auto_prune is"):
        graph.auto_prune = wrong


@pytest.mark.parametrize("line", ["251,nonsense,0,0,0,0\n", "251,0.1\n"])
def test_a_damaged_or_missing_history_is_named(history: Path, line: str) -> None:
    graph = Graph(history)
    append(history, line)
    for _ in range(2):
        with pytest.raises(DamagedModelError, match=r"history\.csv is no history: "):
            graph.every  # noqa: B018
    history.unlink()
    with pytest.raises(DamagedModelError, match=r"history\.csv cannot be read: No such file"):
        graph.every  # noqa: B018
