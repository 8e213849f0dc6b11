"""The audit: whether anything a model sees, was fitted on or was picked by came from the future."""

from dlplugin.evaluation.audit.columns import column_checks, suspects
from dlplugin.evaluation.audit.cutting import input_checks, live_check, prediction_checks
from dlplugin.evaluation.audit.drift import drift_check
from dlplugin.evaluation.audit.moved import moved_checks
from dlplugin.evaluation.audit.origins import (
    boundary_check,
    fingerprint_check,
    output_check,
    scaling_check,
    selection_check,
)
from dlplugin.evaluation.audit.result import Audit, Check
from dlplugin.evaluation.audit.subject import AuditOptions, Subject
from dlplugin.evaluation.audit.too_good import single_input_check, too_good_checks

__all__ = [
    "Audit",
    "AuditOptions",
    "Check",
    "Subject",
    "boundary_check",
    "column_checks",
    "drift_check",
    "fingerprint_check",
    "input_checks",
    "live_check",
    "moved_checks",
    "output_check",
    "prediction_checks",
    "scaling_check",
    "selection_check",
    "single_input_check",
    "suspects",
    "too_good_checks",
]
