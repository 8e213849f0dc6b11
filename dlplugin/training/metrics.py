"""What the history of a run holds beside losses, learning rate and seconds."""

from dlplugin.definition import Definition, TrainingOptions

__all__ = ["metric_columns"]

METRICS = ("in_sample_accuracy", "out_of_sample_accuracy", "out_of_sample_correlation")


def metric_columns(definition: Definition, options: TrainingOptions) -> tuple[str, ...]:
    """Accuracies where an output has classes; the correlation where it is monitored."""
    classes = any(head.kind == "classes" for head in definition.heads)
    return (METRICS[:2] if classes else ()) + (METRICS[2:] if options.monitor == "correlation" else ())
