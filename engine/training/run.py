"""One training run, as a generator of events.

The loop knows neither pages nor stores. Its consumer may stop at any event, change a setting between
two steps, or take a checkpoint; resuming from a full checkpoint repeats the undisturbed run exactly.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator

import torch
from torch import Tensor

from engine.config import Config, ConfigError, settings
from engine.data import Corpus, Streams, TextFacts
from engine.device import arithmetic, choose_device, derived_seed, generator, traits
from engine.models.language_model import LanguageModel, mean_loss, state_penalty
from engine.models.stack import StackState, detached
from engine.training.background import in_background
from engine.training.checkpoint import Best, Checkpoint, CheckpointError
from engine.training.clipping import clip_gradients
from engine.training.divergence import DivergenceWatch
from engine.training.evaluation import Part, evaluate
from engine.training.evaluation_plan import EvaluationPlan, plan_evaluations
from engine.training.events import (
    Changed,
    Evaluated,
    Event,
    Finished,
    Planned,
    Progress,
    Sampled,
    Saved,
    TextRead,
    Working,
)
from engine.training.meters import Meters, Pace, Reading, Stopwatch
from engine.training.optimizers import build_optimizer
from engine.training.plan import measure_costs, steps_within
from engine.training.restore import load_weights, optimizer_tensors, restore_optimizer, state_from, state_tensors
from engine.training.schedule import is_power_of_two, learning_rate, records_progress

Sampler = Callable[[LanguageModel], Iterator[tuple[str, str] | None]]
"""Writes a sample in slices: None after each slice, and (prompt, text) at the end."""

ADJUSTABLE = ("learning_rate", "clip_threshold")
"""Settings that may change while a run trains."""

RISING = 0.01
"""Validation loss counts as rising when it is this share above its best."""


class Training:
    """A run of `config` over `corpus`, from the start or from a checkpoint.

    Args:
        config: validated settings
        corpus: the prepared text that `config.data` names
        facts: gives the facts on that text; asked once, on a thread, before the first evaluation
        device: "auto", "cpu", "cuda" or "mps"
        sampler: writes a sample after each evaluation; without one none is written
        checkpoint: where to go on from; a full one of this run continues it exactly
        branch: start a new run from the checkpoint's weights, with `config` as it is

    Raises:
        CheckpointError: the checkpoint is not full, or of another run, corpus, vocabulary or model
        ConfigError: the device is not there
    """

    def __init__(
        self,
        config: Config,
        corpus: Corpus,
        *,
        facts: Callable[[], TextFacts],
        device: str = "auto",
        sampler: Sampler | None = None,
        checkpoint: Checkpoint | None = None,
        branch: bool = False,
    ) -> None:
        self.stopwatch = Stopwatch()
        """the time that counts as the run's: whoever pauses it between two events stops it"""
        self.config = config
        self.corpus = corpus
        self.device = choose_device(device)
        self._sampler = sampler
        self._ask_facts = facts
        self._facts: TextFacts | None = None
        training = config.training
        size = len(corpus.vocabulary)
        counts = torch.bincount(corpus.train, minlength=size)
        self.model = LanguageModel(config.model, size, derived_seed(training.seed, "weights"), counts)
        self.model.to(self.device)
        self._parameters: list[Tensor] = [*self.model.parameters()]
        self.parameters = self.model.parameter_count()
        self._streams = Streams(corpus.train, config.data.streams, config.data.chunk, training.seed)
        self.report_every_step = False
        """set it to hear of every update, as somebody who steps by hand wants to"""
        self.step = 0
        self.planned_steps = None if training.seconds else training.steps
        """the plan that the schedule follows; None until a limit in seconds is turned into steps"""
        self._extended_to = 0
        self.changes: list[tuple[int, str, float]] = []
        self._unreported_changes: list[Changed] = []
        self.best = Best()
        self._val_loss: float | None = None
        self._evaluated_at = 0
        self._evaluations = self._evaluations_of(1)
        self._peak_factor = 1.0
        self._clip, self._clip_threshold = training.clip, training.clip_threshold
        self._state = self._reached = self.model.initial_state(config.data.streams)
        self._average: LanguageModel | None = None
        if checkpoint is not None:
            self._check_belongs(checkpoint, branch)
            load_weights(self.model, checkpoint.weights() if branch else checkpoint.part("model"))
        if training.averaging:
            self._average = self._copy_of_model()
        self._optimizer = build_optimizer(self.model, training)
        self._meters = Meters(config.data.streams * config.data.chunk)
        self._pace = Pace(config.data.streams * config.data.chunk)
        self._watch = DivergenceWatch(config, math.log(len(corpus.vocabulary)))
        if checkpoint is not None and not branch:
            self._continue_from(checkpoint)

    # ------------------------------------------------------------------ listening

    def events(self) -> Iterator[Event]:
        """Train, yielding events. The consumer may stop iterating at any event and take a checkpoint then."""
        if self.planned_steps is None:
            yield from self._plan()
        assert self.planned_steps is not None
        self._evaluations = self._evaluations_of(self.planned_steps).ending_at(self.last_step)
        yield Planned(
            self.step,
            planned_steps=self.last_step,
            evaluation_steps=self._evaluations.steps,
            parameters=self.parameters,
            device=str(self.device),
            threads=torch.get_num_threads(),
        )
        if self.step == 0:
            yield Saved(0, full=False, checkpoint=self.checkpoint(full=False))
        # A run that was stopped between an update and its evaluation makes up for it first.
        yield from self._evaluate_if_due()
        while (why := self._why_to_end()) is None:
            diverged = yield from self._advance()
            if diverged:
                return
            yield from self._evaluate_if_due()
        yield self._finished(why)

    def change(self, key: str, value: float) -> None:
        """Change a setting: the peak learning rate (it scales the schedule), or the clipping threshold (0 is off).

        Raises:
            ConfigError: a setting that cannot change, or a value out of its range
        """
        if key not in ADJUSTABLE:
            raise ConfigError(f"{key!r} cannot be changed while a run trains; only {' and '.join(ADJUSTABLE)} can.")
        if not (key == "clip_threshold" and value == 0):
            self.config.with_values(**{f"training__{key}": float(value)})  # checks the range
        self.changes.append((self.step, key, float(value)))
        self._turn(key, float(value))
        self._unreported_changes.append(Changed(self.step, key, float(value)))

    def extend(self, steps: int) -> None:
        """Go on for so many steps after the run has ended, whatever ended it; the last of them is evaluated.

        The schedule is not stretched: the learning rate stays where it ended. A run that has not ended stays as it is.
        """
        if self.has_ended:
            self._extended_to = self.step + steps

    @property
    def has_ended(self) -> bool:
        """Whether the run is over: it has reached its last step, or what was to end it earlier."""
        return self.planned_steps is not None and self._why_to_end() is not None

    @property
    def last_step(self) -> int:
        """The step at which the run ends: as planned, or as it was extended; the present one before there is a plan."""
        return self._extended_to or self.planned_steps or self.step

    def checkpoint(self, full: bool = True) -> Checkpoint:
        """The run as it is now: cloned, on the CPU. Full ones can be continued, the others only looked into."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self._average is not None:
            tensors |= {f"average.{name}": value for name, value in self._average.state_dict().items()}
        if full:
            tensors |= optimizer_tensors(self._optimizer, self.model) | state_tensors(self._state)
        return Checkpoint(
            step=self.step,
            full=full,
            config=self.config,
            corpus_sha256=self.corpus.sha256,
            vocabulary=self.corpus.vocabulary.to_json(),
            planned_steps=self.planned_steps or 0,
            extended_to=self._extended_to,
            seconds=self.seconds,
            train_seconds=self._meters.train_seconds,
            evaluated_at=self._evaluated_at,
            val_loss=self._val_loss,
            steps_above=self._watch.steps_above,
            sums=self._meters.sums(),
            best=self.best,
            changes=tuple(self.changes),
            tensors={name: value.detach().to("cpu", copy=True) for name, value in tensors.items()},
        )

    @property
    def seconds(self) -> float:
        """Wall time of the run so far, pauses left out."""
        return self.stopwatch.seconds

    @property
    def seconds_left(self) -> float:
        """Wall time that the run will still take, evaluations and samples included; NaN before the first update."""
        return self._seconds_left(0)

    @property
    def evaluated_model(self) -> LanguageModel:
        """The model that is evaluated and sampled from: the running average where there is one."""
        return self._average or self.model

    def largest_states(self) -> dict[str, float]:
        """The largest magnitude of each of the cell's states when the last chunk ended, in any layer and stream."""
        names = self.model.stack.cells[-1].state_names
        return {
            name: max(float(layer[place].abs().max()) for layer in self._reached) for place, name in enumerate(names)
        }

    # ------------------------------------------------------------------ one step

    def _advance(self) -> Generator[Event, None, bool]:
        """One update and what follows from it. Returns whether the run has diverged."""
        while self._unreported_changes:
            yield self._unreported_changes.pop(0)
        started = time.perf_counter()
        rate = self._set_learning_rate()
        loss, before, after = self._update()
        self.step += 1
        assert self.planned_steps is not None
        reported = records_progress(self.step, self.planned_steps) or self.step == self.last_step
        self._meters.add(loss)
        diverged, last_loss = None, math.nan
        wanted = reported or self.report_every_step
        if wanted or self._meters.pending >= traits(self.device).steps_between_reads:
            updates, last_loss, norm = self._meters.pending, self._meters.read(), before.item()
            diverged = self._watch.look(
                self.step, last_loss, norm, rate, self._clip != "off", updates, self.largest_states()
            )
        seconds = time.perf_counter() - started
        self._meters.spent(seconds)
        self._pace.update(seconds)
        if wanted or diverged is not None:
            # A report out of turn leaves the sums alone, so that the regular ones stay those of an unwatched run.
            reading = self._meters.reading() if reported or diverged else self._meters.glance(last_loss)
            yield self._progress(reading, before.item(), after.item(), rate)
        if diverged is not None:
            yield diverged
            return True
        if not wanted:
            yield Working(self.step, "training", self.step / self.last_step)
        if is_power_of_two(self.step):
            yield self._saved(full=False)
        return False

    def _update(self) -> tuple[Tensor, Tensor, Tensor]:
        """One step of truncated backpropagation through time.

        Returns the loss, without the penalty on large states, and the gradient's norm before and after clipping, with
        it.
        """
        batch = self._streams.batch(self.step)
        state = self.model.initial_state(batch.inputs.shape[1]) if batch.fresh else self._state
        dropout = generator(self.config.training.seed, "dropout", self.step, device=self.device)
        inputs, targets = batch.inputs.to(self.device), batch.targets.to(self.device)
        with arithmetic(self.device, self.config.training.precision):
            logits, hidden, state = self.model.forward_with_hidden(inputs, state, dropout)
            loss = mean_loss(logits, targets)
            weight = self.config.training.state_penalty
            minimised = loss + weight * state_penalty(hidden) if weight else loss
        self._optimizer.zero_grad(set_to_none=True)
        minimised.backward()
        before, after = clip_gradients(self._parameters, self._clip, self._clip_threshold)
        if self.device.type != "cpu" or math.isfinite(before.item()):
            self._optimizer.step()  # a step along a gradient that is not finite would leave only NaN behind
        self._reached = detached(state)
        self._state = self._carried(self._reached)
        self._follow_average()
        return loss.detach(), before, after

    def _carried(self, state: StackState) -> StackState:
        """The state that the next chunk starts from: as it is, or cut to the limit. A clock is no value to cut."""
        limit, states = self.config.training.carried_limit, len(self.model.stack.cells[-1].state_names)
        if not limit:
            return state
        return tuple((*(part.clamp(-limit, limit) for part in layer[:states]), *layer[states:]) for layer in state)

    def _set_learning_rate(self) -> float:
        assert self.planned_steps is not None
        rate = learning_rate(self.config.training, self.step, self.planned_steps) * self._peak_factor
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _follow_average(self) -> None:
        if self._average is None:
            return
        # Early on a long memory would hold mostly the initial weights: shorter then.
        decay = min(self.config.training.averaging, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_([*self._average.parameters()], [*self._parameters], 1.0 - decay)

    def _progress(self, reading: Reading, norm: float, clipped: float, rate: float) -> Progress:
        return Progress(
            self.step,
            loss=reading.loss,
            grad_norm=norm,
            clipped_norm=clipped,
            learning_rate=rate,
            clip_threshold=self._clip_threshold if self._clip != "off" else None,
            tokens_per_second=reading.tokens_per_second,
            seconds=self.seconds,
            train_seconds=self._meters.train_seconds,
            seconds_left=self.seconds_left,
        )

    # ------------------------------------------------------------------ evaluations

    def _evaluate_if_due(self) -> Iterator[Event]:
        """Evaluate, sample and save where the plan says so.

        An evaluation after which the run ends reads the whole validation part: the last of the plan, one at which the
        patience is over, and one whose part promises `until_loss`, which only the whole then reaches or not. The
        others read a part that is always the same. Which of two is better, their losses over that part decide: a part
        that happens to be easier than the whole makes neither of them the best.

        The evaluation counts only once its sample is written: a run that is stopped before does both again.
        """
        plan = self._evaluations
        if self.step not in plan.steps or self._evaluated_at >= self.step:
            return
        if self._facts is None:
            yield from self._read_text()
        to_read = plan.usual
        if plan.part is not None and self.step == plan.steps[-1]:
            to_read += plan.whole
        val_loss = compared = yield from self._read(plan.part, plan.usual, 0, to_read)
        best = self.best.after(self.step, val_loss, compared)
        tokens = plan.usual
        if plan.part is not None and self._may_end(val_loss, best):
            val_loss = yield from self._read(None, plan.whole, plan.usual, plan.usual + plan.whole)
            best = self.best.after(self.step, val_loss, compared)
            tokens = plan.whole
        rising = compared > best.compared * (1 + RISING)
        assert self._facts is not None
        yield self._evaluated(val_loss, self._facts.per_character.bits(val_loss), best, tokens, rising)
        yield from self._sample()
        self.best, self._val_loss, self._evaluated_at = best, val_loss, self.step
        self._meters.evaluated()
        yield self._saved(full=True)

    def _read_text(self) -> Iterator[Event]:
        """Ask for the facts on the text, which takes seconds for a long one."""
        yield Working(self.step, "text", 0.0)
        for facts in in_background(self._ask_facts):
            if facts is None:
                yield Working(self.step, "text", 0.0)
            else:
                self._facts = facts
                yield TextRead(self.step, facts)

    def _read(self, part: Part | None, tokens: int, before: int, in_all: int) -> Generator[Event, None, float]:
        """The validation loss over `part`, or the whole, which is so many tokens.

        At this step `before` tokens have been read, and `in_all` are to be.
        """
        reading = evaluate(self.evaluated_model, self.corpus.validation, self.config.training.precision, part)
        share, loss, seconds = 0.0, math.nan, 0.0
        while share < 1.0:
            started = time.perf_counter()
            share, loss = next(reading)
            seconds += time.perf_counter() - started
            if share < 1.0:
                read = before + share * tokens
                yield Working(self.step, "evaluation", read / in_all, self._seconds_left(round(read)))
        self._pace.evaluated(tokens, seconds)
        return loss

    def _may_end(self, val_loss: float, best: Best) -> bool:
        """Whether the run ends with an evaluation of this loss, if the whole validation part bears it out."""
        if self._extended_to or self.step == self._evaluations.steps[-1]:  # an extended run ends with its last alone
            return self.step == self._evaluations.steps[-1]
        training = self.config.training
        patient = not training.patience or best.since < training.patience
        return not patient or bool(training.until_loss and val_loss <= training.until_loss)

    def _evaluations_of(self, planned_steps: int) -> EvaluationPlan:
        return plan_evaluations(self.config, planned_steps, len(self.corpus.validation))

    def _seconds_left(self, read: int) -> float:
        """What the run will still take when so many tokens of the evaluation at hand have been read."""
        evaluated, sampled = self._evaluations.left(self._evaluated_at)
        return self._pace.left(self.last_step - self.step, max(0, evaluated - read), sampled)

    def _evaluated(self, val_loss: float, bits: float, best: Best, tokens: int, rising: bool) -> Evaluated:
        return Evaluated(
            self.step,
            val_loss=val_loss,
            bits_per_character=bits,
            train_loss=self._meters.loss_since_evaluation(),
            best=best.step == self.step,
            rising=rising,
            tokens_read=tokens,
            tokens_in_all=self._evaluations.whole,
            seconds=self.seconds,
            train_seconds=self._meters.train_seconds,
        )

    def _sample(self) -> Iterator[Event]:
        if self._sampler is None or self.config.sampling.length == 0:
            return
        slices = self._sampler(self.evaluated_model)
        seconds, sample = 0.0, None
        while sample is None:
            started = time.perf_counter()
            sample = next(slices)
            seconds += time.perf_counter() - started
            if sample is None:
                yield Working(self.step, "sample", 0.0)
        self._pace.sampled(self.config.sampling.length, seconds)
        yield Sampled(self.step, *sample)

    def _saved(self, full: bool) -> Saved:
        return Saved(self.step, full=full, checkpoint=self.checkpoint(full))

    def _why_to_end(self) -> str | None:
        """Why the run is over, if it is: by what a checkpoint holds, so that a pause changes nothing."""
        training = self.config.training
        if self._extended_to:
            return "steps" if self.step >= self._extended_to else None
        if training.until_loss and self._val_loss is not None and self._val_loss <= training.until_loss:
            return "until_loss"
        if training.patience and self.best.since >= training.patience:
            return "early_stopping"
        return "steps" if self.step >= self.last_step else None

    def _finished(self, why: str) -> Finished:
        return Finished(
            self.step,
            why=why,
            val_loss=math.nan if self._val_loss is None else self._val_loss,
            best_step=self.best.step,
            best_loss=self.best.loss,
            seconds=self.seconds,
            train_seconds=self._meters.train_seconds,
            tokens_per_second=self._meters.average_rate(),
            parameters=self.parameters,
        )

    # ------------------------------------------------------------------ starting and going on

    def _plan(self) -> Iterator[Event]:
        """Turn a limit in seconds into steps, by measuring on copies that are thrown away."""
        training = self.config.training
        if self._facts is None:
            yield from self._read_text()  # whose time is part of the limit
        yield Working(0, "plan", 0.0)
        costs = measure_costs(
            self._copy_of_model(), training, self._streams, self.corpus.validation, self._sampler, training.seconds
        )
        self.planned_steps = steps_within(training.seconds - self.seconds, self._evaluations_of, costs)

    def _copy_of_model(self) -> LanguageModel:
        copy = LanguageModel(self.config.model, len(self.corpus.vocabulary), 0).to(self.device)
        load_weights(copy, self.model.state_dict())
        return copy

    def _check_belongs(self, checkpoint: Checkpoint, branch: bool) -> None:
        if not branch and not checkpoint.full:
            raise CheckpointError(
                f"The checkpoint at step {checkpoint.step} contains weights only, so the run cannot be continued "
                "exactly from it: continue from the newest full checkpoint, or start a branch."
            )
        if not branch and checkpoint.config != self.config:
            raise CheckpointError(
                f"The checkpoint at step {checkpoint.step} belongs to a run with other settings "
                f"({_differences(checkpoint.config, self.config)}): continue with its own, or start a branch."
            )
        if not branch and checkpoint.corpus_sha256 != self.corpus.sha256:
            raise CheckpointError(
                f"The corpus {self.corpus.title!r} has changed since this run was trained on it (its hash was "
                f"{checkpoint.corpus_sha256[:12]}, now {self.corpus.sha256[:12]}), or its "
                "text is cleaned differently now: start a new run or a branch."
            )
        if checkpoint.vocabulary != self.corpus.vocabulary.to_json():
            raise CheckpointError(
                f"The vocabulary of {self.corpus.title!r} differs from that of this checkpoint: use the corpus that "
                "the checkpoint was trained on."
            )

    def _continue_from(self, checkpoint: Checkpoint) -> None:
        self.step = checkpoint.step
        self.planned_steps = checkpoint.planned_steps or self.planned_steps
        self._extended_to = checkpoint.extended_to
        self.stopwatch = Stopwatch(checkpoint.seconds + self.stopwatch.seconds)
        self._meters.continue_from(checkpoint.step, checkpoint.train_seconds, checkpoint.sums)
        self._evaluated_at, self._val_loss = checkpoint.evaluated_at, checkpoint.val_loss
        self._watch.steps_above = checkpoint.steps_above
        self.best = checkpoint.best
        restore_optimizer(self._optimizer, self.model, checkpoint.part("optimizer"))
        self._state = state_from(checkpoint.part("state"), self._state)
        if self._average is not None:
            load_weights(self._average, checkpoint.part("average"))
        self.changes = list(checkpoint.changes)
        for step, key, value in self.changes:
            self._turn(key, value)
            if step == self.step:  # nobody may have been told before the run was stopped
                self._unreported_changes.append(Changed(step, key, value))

    def _turn(self, key: str, value: float) -> None:
        if key == "learning_rate":
            self._peak_factor = value / self.config.training.learning_rate
        elif value == 0:
            self._clip = "off"
        else:
            self._clip = "norm" if self.config.training.clip == "off" else self.config.training.clip
            self._clip_threshold = value


def _differences(ours: Config, theirs: Config) -> str:
    """The first few settings in which two configs differ, by name."""
    names = [
        f"{section}.{item.name}"
        for section, item in settings()
        if getattr(getattr(ours, section), item.name) != getattr(getattr(theirs, section), item.name)
    ]
    return ", ".join(names[:4])
