"""One model: described, trained, judged, locked; predicts."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dlplugin.bars import DataSet
from dlplugin.definition import Definition, EngineOptions, Input, Output, Split, TrainingOptions
from dlplugin.errors import (
    LockedModelError,
    PredictionError,
    StoreError,
    TrainingError,
)
from dlplugin.evaluation import Evaluation
from dlplugin.evaluation.audit import Audit, AuditOptions
from dlplugin.evaluation.inputs import (
    Attributions,
    Importance,
    PartialDependence,
    attributions_of,
    dependence_of,
    importance_of,
)
from dlplugin.model.counting import openings_table, trials_table
from dlplugin.model.data import training_data
from dlplugin.model.explaining import samples_to_explain
from dlplugin.model.holdout import evaluate_on, open_holdout
from dlplugin.model.predicting import PredictorOf, predict_bars
from dlplugin.model.reporting import write_model_report
from dlplugin.model.summary import ModelSummary, record_of, summarise
from dlplugin.samples import Samples, Scaling, Spans, build_samples, matrix_columns, resolve_split
from dlplugin.store import (
    ModelFolder,
    RunFolder,
    VersionFolder,
    store_folder,
)
from dlplugin.training import (
    Run,
    begin_run,
    best_epoch,
    end_script,
    execute,
    leaving_nothing,
    train_in_background,
)

if TYPE_CHECKING:
    from rich.console import Console

    from dlplugin.evaluation import Backtest
    from dlplugin.prediction import Predictor

__all__ = ["Model"]


class Model:
    """A model: indicators in, indicators out. Nothing is written until `train` or `save`.

    Args:
        name: Letters, digits, '.', '-' and '_'; its folder in the store.
        inputs: What it sees: `dl.Input(...)`, or just expressions.
        outputs: What it predicts: `dl.Output(expression, look_ahead=...)`.
        engine: `dl.MLP(...)`, or an engine's name.
        store: A folder; by default `DLPLUGIN_STORE`, or ./models.

    Raises:
        DefinitionError: A value is wrong.
        ExpressionError: An indicator cannot be parsed.
    """

    def __init__(
        self,
        name: str,
        inputs: Sequence[Input | str],
        outputs: Sequence[Output],
        engine: EngineOptions | str = "mlp",
        *,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        self._set(Definition(name, inputs, outputs, engine), store_folder(store), None)

    @classmethod
    def of(
        cls,
        definition: Definition,
        *,
        store: str | os.PathLike[str] | None = None,
        version: int | None = None,
    ) -> "Model":
        """The model of a definition, or a locked version of it."""
        model = cls.__new__(cls)
        model._set(definition, store_folder(store), version)
        return model

    def _set(self, definition: Definition, root: Path, version: int | None) -> None:
        self.definition = definition
        self.version = version
        self._root = root
        self._folder = ModelFolder(root, definition.name)
        self._predictor_of = PredictorOf(definition)

    def __repr__(self) -> str:
        return f"<Model {self.reference}: {self.status}>"

    @property
    def name(self) -> str:
        """Its name, without a version."""
        return self.definition.name

    @property
    def reference(self) -> str:
        """Its name, with the version when it is locked: us-5d@2."""
        number = self.version
        if number is None and self.status == "locked":
            number = self._folder.versions[-1]
        return self.name if number is None else f"{self.name}@{number}"

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self._root

    @property
    def status(self) -> str:
        """One of "draft" (nothing stored, or another definition), "running", "trained" or "locked"."""
        if self.version is not None:
            return "locked"
        if not self._folder.exists:
            return "draft"
        state = self._folder.state()
        return state.status if state.definition.hash == self.definition.hash else "draft"

    @property
    def run(self) -> Run:
        """The run whose save point it predicts with.

        Raises:
            PredictionError: It is not trained.
            UnknownModelError: The run was deleted, as it may be once its model is locked.
        """
        return Run(RunFolder.open(self._root, str(self.record["run"])))

    @property
    def bars_needed(self) -> int:
        """Bars until the first prediction."""
        return self.definition.bars_needed

    def statistics(self, dataset: DataSet) -> pd.DataFrame:
        """Minimum, maximum, mean, standard deviation and missing bars of each input and output.

        Returns:
            A row for each input and output, in its own unit, over all bars of all symbols.
        """
        return build_samples(self.definition, dataset, resolve_split(dataset, Split(1.0, 0.0))).statistics

    def labels(
        self, dataset: DataSet, split: Split | None = None, validation: DataSet | None = None
    ) -> pd.DataFrame:
        """The classes of its outputs, and how many samples each has: what to look at before training.

        Args:
            dataset: The symbols to train on, pooled.
            split: Which dates are for what; by default `Split(0.6, 0.2)`. The holdout is not counted.
            validation: Another DataSet, whose samples are out of sample instead of this one's.

        Returns:
            A row for each class of each output, under (output, label), the lowest first: its number, its
            samples in_sample and out_of_sample, and their share. A dropped class has no row. Empty for
            a model of numbers.

        Raises:
            SamplesError: A span has no dates.
        """
        unscaled = (
            Scaling.none(len(matrix_columns(self.definition).input)),
            Scaling.none(len(self.definition.outputs)),
        )
        spans = resolve_split(dataset, split or Split(), validation)
        return build_samples(self.definition, dataset, spans, unscaled, validation=validation).balance

    def summary(
        self,
        dataset: DataSet | None = None,
        split: Split | None = None,
        options: TrainingOptions | None = None,
        *,
        validation: DataSet | None = None,
    ) -> ModelSummary:
        """Its inputs, its layers, and its weights beside the samples they are learned from.

        Args:
            dataset: Whose in-sample samples count; otherwise those of the run that it predicts with, or of
                the newest one while there is none yet.
            split: Which of the dataset's dates train; by default `Split(0.6, 0.2)`.
            options: How it would be trained: how many networks, and how samples are weighted.
            validation: Another DataSet to validate on.

        Returns:
            The summary; print it. Nothing is written.

        Raises:
            DefinitionError: What is said of a dataset that is not given.
            SamplesError: The dataset has no samples.
        """
        named = (self.reference, self.status)
        record = record_of(self._folder, self.definition, self.version)
        return summarise(self.definition, named, record, dataset, split, options, validation)

    def save(self) -> None:
        """Stores the definition as a draft; a training of the same definition is kept.

        Raises:
            LockedModelError: The model is locked.
        """
        self._refuse_version("save")
        self._folder.write_draft(self.definition)

    def train(
        self,
        dataset: DataSet,
        split: Split | None = None,
        options: TrainingOptions | None = None,
        console: "Console | None" = None,
        *,
        validation: DataSet | None = None,
        start_from: str | None = None,
    ) -> Run:
        """Trains a new run to its end; from then on its save point predicts. Earlier runs stay.

        Args:
            dataset: The symbols to train on, pooled.
            split: Which dates are for what; by default `Split(0.6, 0.2)`.
            options: By default `TrainingOptions()`.
            console: Where progress is shown; standard error when not given.
            validation: Another DataSet, whose samples are out of sample instead of this one's.
            start_from: Another model, a locked version or a run, whose weights the layers begin with that
                fit; the others begin anew, and all is said. Its scaling is not taken over.

        Returns:
            The run. Ctrl-C and SIGTERM stop it within a second and keep what there is, and
            `resume` goes on from there. With a number of epochs Ctrl-C then raises
            KeyboardInterrupt, so that a script does not walk on.

        Raises:
            LockedModelError: The model is locked.
            SamplesError: A span has no samples.
            StoreError: It is being trained already, or the store cannot be written.
            TrainingError: The loss was never finite.
        """
        run, samples = self._begin(dataset, split, options, validation, start_from)
        with leaving_nothing(run):
            control = execute(run, console, samples)
        end_script(Run(run), control.signal)
        return Run(run)

    def start(
        self,
        dataset: DataSet,
        split: Split | None = None,
        options: TrainingOptions | None = None,
        *,
        validation: DataSet | None = None,
        start_from: str | None = None,
    ) -> Run:
        """Trains a new run in a process of its own, which outlives this one, and returns at once.

        The arguments, and what is raised, are those of `train`.

        Returns:
            The run: watch it by `status`, `history` and `progress`; `stop()`, `wait()` and `resume()` are
            there in any process.

        Raises:
            TrainingError: The process could not begin.
        """
        run, _ = self._begin(dataset, split, options, validation, start_from)
        with leaving_nothing(run):
            train_in_background(run)
        return Run(run)

    def resume(
        self, dataset: DataSet | None = None, background: bool = False, console: "Console | None" = None
    ) -> Run:
        """Goes on with the run that was begun last, where it stopped; see `Run.resume`.

        Raises:
            TrainingError: There is none, it runs or is finished, or the DataSet has other bars.
            LockedModelError: The model is locked.
        """
        self._refuse_version("resume")
        newest = self._folder.state().newest if self._folder.exists else None
        self._folder.refuse_training(newest)
        if newest is None:
            raise TrainingError(f"model {self.name!r} has no run to resume; train it first")
        return Run(RunFolder.open(self._root, newest)).resume(dataset, background, console)

    def _begin(
        self,
        dataset: DataSet,
        split: Split | None,
        options: TrainingOptions | None,
        validation: DataSet | None,
        start_from: str | None,
    ) -> tuple[RunFolder, Samples]:
        self._refuse_version("train")
        how = (split or Split(), options or TrainingOptions())
        return begin_run(self._root, self.definition, dataset, *how, validation, start_from)

    def evaluate(self, dataset: DataSet | None = None, validation: DataSet | None = None) -> Evaluation:
        """How it does in and out of sample; the days of the holdout stay closed.

        In sample is what it was trained on, and nothing else: on the training's data the evaluation is that
        of the training. Data loaded later are out of sample: other symbols, and bars that the
        training had not, but for those on the holdout's days. The evaluation's note says what is there.

        Among the trivial rules there is gradient boosting too, where scikit-learn is installed (the extra
        `boosting`). The evaluation at a training's end, `model.evaluation`, goes without: it would cost each
        training a second or more.

        Args:
            dataset: Symbols and bars, those of its training or others; otherwise the samples that its
                run keeps, or else `Model.dataset`. Where it has none of the training's in-sample samples,
                those are read again.
            validation: The other DataSet whose samples were out of sample, if there was one; without a
                dataset it is read again, too.

        Raises:
            BarsError: No dataset is given, and that of the training cannot be read again.
            PredictionError: It is not trained.
            SamplesError: It was validated on another DataSet, and none is given, or the other way about; a
                symbol has no scaling of its own, or the bars of one that trained; or the DataSet has no
                in-sample samples, and those of the training cannot be read again.
        """
        return evaluate_on(self._root, self._source(), dataset, validation)

    def open_holdout(
        self, reason: str, dataset: DataSet | None = None, validation: DataSet | None = None
    ) -> Evaluation:
        """How it does on the holdout of its training: the only way to a score of those days.

        The opening is recorded for good before the score is computed, in the store and outside the model's
        folder: once for the same definition, days and symbols. See `openings`.

        Args:
            reason: Why they are looked at now, in your words; recorded with the opening.
            dataset: Bars of those days; by default what it was trained on, which its run keeps, or else read
                again from where it came.
            validation: The other DataSet whose samples were out of sample, if there was one.

        Returns:
            The evaluation; what stands beside the in-sample samples are those of the holdout.

        Raises:
            BarsError: What it was trained on is not there any more, or has changed.
            DefinitionError: The reason is empty.
            PredictionError: It is not trained.
            SamplesError: It has no holdout, or there is no sample of those days.
            StoreError: The opening cannot be recorded; then there is no score.
        """
        return open_holdout(self._root, self.reference, self._source(), reason, dataset, validation)

    @property
    def openings(self) -> pd.DataFrame:
        """Every time that days of its holdout were shown, as a score or as a trading result.

        Those of other models on the same symbols and days count, those of deleted ones too; predicting does
        not. So does a run, of this model or another, that had such days out of sample by another split: its
        purpose is "out-of-sample score", its reason the run. See `dl.openings` for the columns.

        Returns:
            A row an opening, oldest first; none where it has no holdout.

        Raises:
            DamagedModelError: The records cannot be read.

        Warns:
            DLPluginWarning: A line of the records is damaged; it counts as one.
        """
        return openings_table(self._root, self.definition, self._record_if_any())

    @property
    def trials(self) -> pd.DataFrame:
        """Every run that was judged on its out-of-sample days, or began to be.

        Those of other models on the same symbols and days count, and deleted runs too: the more there were,
        the better the best of them looks by luck. See `dl.trials` for the columns.

        Returns:
            A row a run, oldest first.

        Raises:
            DamagedModelError: The records cannot be read.

        Warns:
            DLPluginWarning: A line of the records is damaged; it counts as one.
        """
        return trials_table(self._root, self.definition, self._record_if_any())

    def audit(
        self,
        dataset: DataSet | None = None,
        validation: DataSet | None = None,
        *,
        options: AuditOptions | None = None,
    ) -> Audit:
        """Looks for the future in what it sees, was fitted on and was picked by; the holdout stays closed.

        Args:
            dataset: By default what it was trained on, read again from where it came; on other bars some
                checks do not apply.
            validation: The other DataSet whose samples were out of sample, if there was one.
            options: How much work is done.

        Returns:
            The audit: print it; `.passed` tells whether there is no leak and no alarm. A draft is audited as
            far as it can be.

        Raises:
            BarsError: What it was trained on is not there any more, or has changed.
            PredictionError: It is a draft, and no dataset is given.
            SamplesError: It was validated on another DataSet, and none is given, or the other way about.
        """
        from dlplugin.model.auditing import audit

        source = None if self.status in ("draft", "running") else self._source()
        trained, predictor = (None, None) if source is None else (source.read_trained(), self.predictor)
        if dataset is None:
            if trained is None:
                raise PredictionError(
                    f"model {self.name!r} is not trained, and so names no data; give dataset="
                )
            dataset, validation = training_data(trained.record, validation)
        return audit(self.reference, self.definition, dataset, validation, trained, predictor, options)

    @property
    def evaluation(self) -> Evaluation:
        """How it did on the data it was trained on, in and out of sample, as found at the training's end.

        Raises:
            PredictionError: It is not trained.
        """
        return Evaluation.from_json(json.dumps(self._source().read_evaluation()))

    def importance(
        self,
        dataset: DataSet | None = None,
        span: str = "out-of-sample",
        repeats: int = 10,
        seed: int = 0,
        *,
        validation: DataSet | None = None,
    ) -> Importance:
        """How much the loss rises when an input is permuted among the samples; see `importance_of`.

        Args:
            dataset: As for `evaluate`, and the samples are those that are judged there.
            span: "out-of-sample" or "in-sample"; the holdout stays closed.
            repeats: Permutations.
            seed: Of the permutations.
            validation: The other DataSet whose samples were out of sample, if there was one.

        Raises:
            BarsError: No dataset is given, and that of the training cannot be read again.
            PredictionError: It is not trained.
            SamplesError: There are no samples.
            DefinitionError: A value is wrong.
        """
        samples = self._to_explain(dataset, validation)
        return importance_of(samples, self.predictor, span, repeats, seed)

    def attributions(
        self,
        dataset: DataSet | None = None,
        output: int | str = 0,
        samples: int = 2000,
        steps: int = 64,
        seed: int = 0,
        *,
        span: str = "out-of-sample",
        label: int | str | None = None,
        validation: DataSet | None = None,
    ) -> Attributions:
        """What each input, at each depth, adds to the predictions, by captum; see `attributions_of`.

        Args:
            dataset: As for `importance`.
            output: Position or name.
            samples: How many are drawn.
            steps: At which the gradient is taken.
            seed: Of the draw.
            span: "out-of-sample" or "in-sample"; the holdout stays closed.
            label: Of classes the one that is looked at; the highest when not given.
            validation: The other DataSet whose samples were out of sample, if there was one.

        Raises:
            DLPluginError: captum is not installed, or what `importance` raises.
        """
        given = self._to_explain(dataset, validation)
        return attributions_of(given, self.predictor, output, span, samples, steps, label, seed)

    def partial_dependence(
        self,
        dataset: DataSet | None = None,
        input: int | str = 0,  # noqa: A002 (the word users write)
        output: int | str = 0,
        points: int = 20,
        *,
        span: str = "out-of-sample",
        label: int | str | None = None,
        newest: bool = False,
        validation: DataSet | None = None,
    ) -> PartialDependence:
        """The mean prediction when an input is set to each of some values; see `dependence_of`.

        Args:
            dataset: As for `importance`.
            input: Position or name.
            output: Position or name.
            points: How many quantiles of the in-sample values; each category of an input that has some.
            span: "out-of-sample" or "in-sample"; the holdout stays closed.
            label: Of classes the one that is looked at; the highest when not given.
            newest: Sets the newest of the input's bars alone, and not all its depths.
            validation: The other DataSet whose samples were out of sample, if there was one.

        Raises:
            DLPluginError: What `importance` raises.
            UnknownNameError: No input, output or class goes by that name.
        """
        samples = self._to_explain(dataset, validation)
        return dependence_of(samples, self.predictor, input, output, points, span, label, newest)

    def _to_explain(self, dataset: DataSet | None, validation: DataSet | None) -> Samples:
        return samples_to_explain(self._root, self._source(), dataset, validation)

    def report(
        self,
        path: str | os.PathLike[str],
        dataset: DataSet | None = None,
        backtest: "Backtest | None" = None,
        *,
        validation: DataSet | None = None,
        audit: bool | Audit = False,
        holdout: Evaluation | None = None,
    ) -> Path:
        """Writes what there is to know of it: the verdict first, then pictures, tables and the record.

        Args:
            path: A page ends in .html, and needs nothing else; Markdown ends in .md, data for programs in .json.
            dataset: What it was trained on, or other bars of those dates; by default that is read again where
                it can be, and otherwise the stored evaluation is shown alone, and what is left out is said.
            backtest: Of the holdout, to be shown with its trades.
            validation: The other DataSet whose samples were out of sample, if there was one.
            audit: What the audit found, or whether to look now, which takes some seconds.
            holdout: What `open_holdout` gave, to be shown too; writing a report opens nothing.

        Returns:
            The file.

        Raises:
            BarsError: It is to be audited, and the data are not there.
            DefinitionError: The path ends in something else, or `holdout` is of other days.
            PredictionError: It is not trained.
        """
        return write_model_report(self, Path(path), dataset, backtest, validation, audit, holdout)

    def predict(
        self,
        bars: pd.DataFrame,
        symbol: str | None = None,
        others: Mapping[str, pd.DataFrame] | DataSet | None = None,
    ) -> pd.DataFrame:
        """Predictions at each bar.

        Args:
            bars: A symbol's history, from its first bar on.
            symbol: Its name; needed when an input or output is scaled by symbol, or `symbol` is an input.
            others: The histories of other symbols that inputs read, by name.

        Returns:
            (T, P) with the bars' index; row t is known at the close of bar t and speaks of bar
            t + look_ahead. NaN while warming up. For each output a column of its name: the number in
            its own unit, the middle quantile, or the number of the most probable class. Beside it, where
            there are some, `NAME [label]` with each class's probability, `NAME [q 0.1]` with each
            quantile, and `NAME spread` over several networks; see `Output.columns`.

        Raises:
            BarsError: The bars cannot be used, or another symbol's are missing.
            PredictionError: It is not trained, or an indicator of your own was edited since, or the symbol
                is needed and not given.

        Warns:
            DLPluginWarning: The history is short, its bars are of another interval, or the symbol is an
                input and the model never trained on it.
        """
        source = self._source()
        return predict_bars(self._predictor_of(source), source.interval, bars, symbol, others)

    @property
    def predictor(self) -> "Predictor":
        """What predicts, in every way there is.

        Raises:
            PredictionError: It is not trained.
        """
        return self._predictor_of(self._source())

    @property
    def record(self) -> dict[str, Any]:
        """How it was trained: dates, counts, data, options, versions, why it stopped.

        Raises:
            PredictionError: It is not trained.
        """
        return dict(self._source().read_trained().record)

    @property
    def dataset(self) -> DataSet:
        """The DataSet it was trained on, read again from where it came, without the bars that have come since.

        Raises:
            BarsError: It was of frames in memory, cannot be read any more, or its bars have changed.
            PredictionError: It is not trained.
        """
        record = self.record
        record.pop("validation", None)  # not read
        return training_data(record)[0]

    @property
    def spans(self) -> Spans:
        """The dates of its training: spans["in-sample"], and the others where there are any.

        Raises:
            PredictionError: It is not trained.
        """
        return Spans.from_dict(self.record["spans"])

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights predict; with several networks that of the best monitored value.

        Raises:
            PredictionError: It is not trained.
        """
        return best_epoch(self.record)

    @property
    def history(self) -> pd.DataFrame:
        """The epochs of the run it predicts with; see `Run.history`.

        Raises:
            PredictionError: It is not trained.
        """
        return self._source().history

    def lock(self, note: str = "", force: bool = False) -> "Model":
        """Makes the trained weights final: the next version of the name.

        Args:
            note: Your words, kept with the version.
            force: Locks although there is no out-of-sample evaluation; recorded in the version.

        Returns:
            The locked version.

        Raises:
            StoreError: It is not trained, or has no out-of-sample evaluation.
            LockedModelError: It is locked already.
        """
        self._refuse_version("lock")
        number = self._folder.lock(self.definition, note, force)
        return Model.of(self.definition, store=self._root, version=number)

    def unlock(self) -> None:
        """Makes a locked model a draft of the same definition again; its versions stay.

        Raises:
            StoreError: It is not locked, or this is an earlier version of it.
        """
        newest = (self._folder.versions or (None,))[-1]
        if self.version is not None and self.version != newest:
            raise StoreError(
                f"{self.reference} is not the newest version of {self.name!r}; unlock() makes a draft of "
                f"{self.name}@{newest}: dl.load({self.name!r}).unlock()"
            )
        self._folder.unlock()

    def delete(self) -> None:
        """Removes a model that was never locked from the store; its runs stay.

        Raises:
            LockedModelError: It has locked versions.
            UnknownModelError: It is not stored.
        """
        self._folder.delete()

    def _record_if_any(self) -> dict[str, Any] | None:
        """How it was trained; None while it is not, or when its files are gone or damaged."""
        with suppress(PredictionError, StoreError):
            return self.record
        return None

    def _refuse_version(self, verb: str) -> None:
        if self.version is not None and self._folder.state().status != "locked":
            raise LockedModelError(
                f"{self.reference} is locked for good; {verb} the draft: dl.load({self.name!r}).{verb}(...)"
            )

    def _source(self) -> RunFolder | VersionFolder:
        """The run or the version that it predicts with."""
        if self.version is not None:
            return self._folder.version(self.version)
        source = self._folder.source(self.definition)
        if source is None:
            raise PredictionError(self._folder.why_not(self.definition))
        return source
