"""Values written as text, as flags and files hold them."""

import pytest

from dlplugin.definition import Split, TrainingOptions
from dlplugin.definition.text import Kind, from_text, kinds


def test_what_fields_take_is_read_from_their_types() -> None:
    known = kinds(TrainingOptions)
    assert list(known) == list(TrainingOptions.__dataclass_fields__)
    assert known["epochs"] == Kind(number=int, optional=True)
    assert known["learning_rate"] == Kind(number=float)
    assert known["batch_size"] == Kind(number=int, words=("full",))
    assert known["class_weights"] == Kind(number=float, words=("none", "balanced"), many=True)
    assert known["freeze"] == Kind(many=True)
    assert known["nesterov"] == Kind(yes_or_no=True)
    assert known["save_point"] == Kind(words=("best", "smoothed", "last"))
    assert kinds(Split)["start"] == Kind(optional=True, date=True)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("epochs", "12", 12),
        ("epochs", "None", None),
        ("epochs", "1e3", "1e3"),
        ("epochs", "many", "many"),
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", "1", 1),
        ("learning_rate", "none", "none"),
        ("learning_rate", 0.5, 0.5),
        ("batch_size", "full", "full"),
        ("batch_size", "32", 32),
        ("class_weights", "none", "none"),
        ("class_weights", ["balanced"], "balanced"),
        ("class_weights", ["1", "2.5"], [1, 2.5]),
        ("class_weights", [1, 2.5], [1, 2.5]),
        ("freeze", ["1", "none"], ["1", "none"]),
        ("freeze", [], []),
        ("nesterov", True, True),
        ("no such field", "1", "1"),
    ],
)
def test_text_is_read_as_the_field_means_it(field: str, text: object, value: object) -> None:
    read = from_text(TrainingOptions, {field: text})[field]
    assert (read, type(read)) == (value, type(value))
