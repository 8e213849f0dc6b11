"""Imports what a training takes: preloaded into the process that others are forked from."""

import dlplugin.evaluation
import dlplugin.prediction
import dlplugin.training.fit  # noqa: F401
import tests.training.trainings  # noqa: F401
