"""Model: the face of definition, samples, training, store, prediction and evaluation."""

from dlplugin.model.counting import openings, trials
from dlplugin.model.model import Model
from dlplugin.model.stored import load, load_run, model_types, models

__all__ = ["Model", "load", "load_run", "model_types", "models", "openings", "trials"]
