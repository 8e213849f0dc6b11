"""Which number of an output is explained: the number itself, the middle quantile, or one class's probability."""

from dlplugin.definition import Output
from dlplugin.errors import DefinitionError
from dlplugin.evaluation.inputs.blocks import named

__all__ = ["answer_unit", "class_position"]


def class_position(output: Output, label: int | str | None) -> int:
    """The class that is explained: the highest when none is given; 0 of an output without classes.

    Raises:
        DefinitionError: The output has no classes, or not that many.
        UnknownNameError: No class has this label.
    """
    if not output.labels:
        if label is not None:
            raise DefinitionError(f"label is {label!r}, but {output.name!r} has no classes; leave out label=")
        return 0
    return len(output.labels) - 1 if label is None else named("label", label, output.labels)


def answer_unit(output: Output, label: int, probabilities: bool) -> str:
    """What a value of it is: the output, or the probability or score of a class of it."""
    if not output.labels:
        return output.name
    return f"{'probability' if probabilities else 'score'} of {output.name} [{output.labels[label]}]"
