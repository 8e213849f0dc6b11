"""What the inputs of a trained model matter: importance, attributions, partial dependence."""

from dlplugin.evaluation.inputs.attributions import Attributions, attributions_of
from dlplugin.evaluation.inputs.dependence import PartialDependence
from dlplugin.evaluation.inputs.importance import Importance
from dlplugin.evaluation.inputs.permutation import importance_of
from dlplugin.evaluation.inputs.setting import dependence_of

__all__ = [
    "Attributions",
    "Importance",
    "PartialDependence",
    "attributions_of",
    "dependence_of",
    "importance_of",
]
