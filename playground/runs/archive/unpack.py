"""Reading a run archive: every check of its contents, before anything is written to the store.

The file is untrusted. Each check has its own sentence, which names the member at fault. All work is bounded by the
size that a run archive may have; nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import math
import re

from engine.config import Config, ConfigError
from engine.data import TextError, TextFacts, Vocabulary, clean, prepare
from engine.models.language_model import parameter_count
from engine.validate import validate
from playground.runs.archive.checkpoint_check import ExpectedRun, check_checkpoint, read_checkpoint
from playground.runs.archive.csv_rows import from_csv
from playground.runs.archive.findings import read_findings
from playground.runs.archive.json_reader import JsonObject, parsed
from playground.runs.archive.layout import (
    CHANGES,
    EVALUATIONS,
    FORMAT,
    MANIFEST,
    MAX_BYTES_OF,
    MAX_CHECKPOINTS,
    MAX_FILE_BYTES,
    MAX_NAME,
    MAX_ROWS,
    MAX_SAMPLE,
    MAX_SAMPLES,
    MAX_SECONDS,
    MAX_SENTENCE,
    METRICS,
    REQUIRED,
    RUN,
    SAMPLES,
    TEXT,
    checkpoint_name,
    printable,
    reason_of,
    refused,
    step_of,
)
from playground.runs.archive.members import Members
from playground.runs.archive.run_archive import RunArchive
from playground.runs.records import STATUSES, CheckpointInfo, Evaluation, Metric, Run, RunChange, SampleText
from playground.runs.settings import AppSettings

STEPS_A_SECOND = 10_000
"""No model trains faster: a run planned in seconds has at most so many steps for each."""

_OWN = re.compile(r"own:[0-9a-f]{64}", re.ASCII)


def max_archive_bytes(settings: AppSettings) -> int:
    """Size in bytes of the largest run archive that can be imported here."""
    return min(MAX_FILE_BYTES, settings.max_store_bytes)


def unpack(raw: bytes, settings: AppSettings) -> RunArchive:
    """The run in a run archive.

    Raises:
        RunArchiveError: says what in the file is invalid, and what to do
    """
    members = Members(raw, max_archive_bytes(settings))
    manifest = JsonObject(MANIFEST, parsed(MANIFEST, members.read(MANIFEST)))
    sizes = _check_manifest(manifest, members)
    stored = JsonObject(RUN, parsed(RUN, members.read(RUN)))
    listed = _listed_checkpoints(stored, sizes)
    config = _config(stored)
    run = _run(JsonObject(RUN, stored.raw("run"), "the run's "), config, settings)
    last_step = run.planned_steps or _last_step(config, settings)
    text = _own_text(config, members)
    archive = RunArchive(
        run=run,
        metrics=from_csv(METRICS, Metric, members.read(METRICS), last_step),
        evaluations=from_csv(EVALUATIONS, Evaluation, members.read(EVALUATIONS), last_step),
        samples=_samples(members, last_step),
        changes=from_csv(CHANGES, RunChange, members.read(CHANGES), last_step),
        checkpoints=listed,
        findings=read_findings(stored, config, last_step),
        text=text,
        left_out=tuple(_steps(stored, "left_out", MAX_ROWS)),
        made_by=manifest.line("made_by", MAX_NAME),
        made=manifest.number("made", MAX_SECONDS, 0.0),
        members=members,
    )
    _check_checkpoints(archive, settings, last_step)
    return archive


# ---------------------------------------------------------------------- manifest


def _check_manifest(manifest: JsonObject, members: Members) -> dict[str, tuple[int, str]]:
    """Check that the members are those listed, byte for byte; their sizes and hashes."""
    version = manifest.raw("format")
    if type(version) is int and version > FORMAT:
        raise refused(
            MANIFEST, f"has format {printable(str(version)[:20])}, but this version of Unrolled reads format {FORMAT}",
            "Update Unrolled, then import it.",
        )  # fmt: skip
    manifest.count("format", FORMAT, FORMAT)
    listed = manifest.raw("members")
    if not isinstance(listed, dict):
        raise manifest.wrong("members", "the list of members")
    for name in sorted(members.names | set(listed)):
        if name not in MAX_BYTES_OF and step_of(name) is None:
            raise refused(
                name, "is not a member of a run file", "Import a file exported by Unrolled, with nothing added."
            )
    missing = sorted((set(listed) | REQUIRED) - members.names)
    if missing:
        raise refused(missing[0], "is missing")
    unexpected = sorted(members.names - set(listed) - {MANIFEST})
    if unexpected:
        raise refused(unexpected[0], f"is not in {MANIFEST}: it was added later")
    return {name: _check_unedited(name, listed[name], members) for name in sorted(set(listed) - {MANIFEST})}


def _check_unedited(name: str, stored: object, members: Members) -> tuple[int, str]:
    entry = JsonObject(MANIFEST, stored, f"the entry of {printable(name)} ")
    expected = entry.count("bytes", MAX_FILE_BYTES), entry.line("sha256", 64)
    found = members.digest(name)
    if found != expected:
        raise refused(name, f"does not match {MANIFEST} (its size or SHA-256 differs): it was modified")
    return found


# ---------------------------------------------------------------------- the run


def _config(stored: JsonObject) -> Config:
    run = JsonObject(RUN, stored.raw("run"), "the run's ")
    try:
        config = validate(Config.from_dict(run.raw("config")))
    except ConfigError as error:
        raise refused(RUN, f"has an invalid config: {reason_of(error)}") from None
    corpus = config.data.corpus
    if corpus.startswith("file:"):
        raise refused(RUN, "reads its text from a path on another machine", "Train on an uploaded text instead.")
    if corpus.startswith("own:") and not _OWN.fullmatch(corpus):
        raise refused(RUN, f"names its text {printable(corpus)}, which is not a SHA-256")
    return config


def _last_step(config: Config, settings: AppSettings) -> int:
    """The last step that a run of `config` can have, before its plan is known."""
    if not config.training.seconds:
        return config.training.steps
    return max(settings.max_steps, math.ceil(config.training.seconds * STEPS_A_SECOND))


def _run(stored: JsonObject, config: Config, settings: AppSettings) -> Run:
    """The run that `run.json` describes, its own numbers checked against each other."""
    last = _last_step(config, settings)
    planned = stored.optional(stored.count, "planned_steps", max(last, settings.max_steps), 1)
    last = planned or last
    status = stored.line("status", 16)
    if status not in STATUSES:
        raise stored.wrong("status", f"one of {', '.join(STATUSES)}")
    return Run(
        id=stored.line("id", 40),
        name=stored.line("name", MAX_NAME),
        status=status,
        config=config,
        visibility="private" if stored.raw("visibility") == "private" else "public",
        created=stored.number("created", MAX_SECONDS, 0.0),
        started=stored.optional(stored.number, "started", MAX_SECONDS, 0.0),
        ended=stored.optional(stored.number, "ended", MAX_SECONDS, 0.0),
        step=stored.count("step", last),
        planned_steps=planned,
        parameters=stored.optional(stored.count, "parameters", settings.max_parameters),
        evaluation_steps=tuple(_steps(stored, "evaluation_steps", 1_000, last)),
        best_step=stored.optional(stored.count, "best_step", last),
        best_loss=stored.optional(stored.number, "best_loss"),
        val_loss=stored.optional(stored.number, "val_loss"),
        last_loss=stored.optional(stored.number, "last_loss"),
        tokens_per_second=stored.optional(stored.number, "tokens_per_second"),
        seconds=stored.number("seconds", MAX_SECONDS, 0.0),
        train_seconds=stored.number("train_seconds", MAX_SECONDS, 0.0),
        message=stored.line("message", MAX_SENTENCE),
        suggestion=_suggestion(stored, config),
        why=stored.line("why", 32),
        parent=_parent(stored),
        device=stored.line("device", 64),
        threads=stored.optional(stored.count, "threads", 256, 1),
        corpus_sha256=stored.line("corpus_sha256", 64),
        text_facts=_text_facts(stored),
    )


def _text_facts(stored: JsonObject) -> TextFacts | None:
    if "text_facts" not in stored:
        return None
    try:
        return TextFacts.from_dict(stored.raw("text_facts"))
    except (ValueError, OverflowError):
        raise stored.wrong("text_facts", "facts on its text") from None


def _steps(stored: JsonObject, name: str, most: int, last: int = 10**9) -> list[int]:
    steps = stored.items(name, most)
    if not all(type(step) is int and 0 <= step <= last for step in steps):
        raise stored.wrong(name, f"a list of steps up to {last:,}")
    return steps


def _suggestion(stored: JsonObject, config: Config) -> dict[str, object]:
    given = stored.raw("suggestion")
    try:
        config.with_values(**given)
    except (ConfigError, TypeError):
        raise stored.wrong("suggestion", "an object of settings") from None
    return dict(given)


def _parent(stored: JsonObject) -> tuple[str, int] | None:
    if "parent" not in stored:
        return None
    pair = stored.items("parent", 2)
    if len(pair) != 2 or not isinstance(pair[0], str) or len(pair[0]) > 40 or type(pair[1]) is not int:
        raise stored.wrong("parent", "a run and a step")
    return pair[0], pair[1]


# ---------------------------------------------------------------------- texts


def _own_text(config: Config, members: Members) -> str | None:
    """The visitor's text in the archive, checked against the hash in the name of the corpus."""
    if TEXT not in members.names:
        return None
    raw = members.read(TEXT)
    if config.data.corpus != f"own:{hashlib.sha256(raw).hexdigest()}":
        raise refused(TEXT, "is not the text of this run")
    try:
        text = raw.decode("utf-8")
        clean(text)
    except (UnicodeDecodeError, TextError) as error:
        raise refused(TEXT, f"cannot be used: {printable(str(error))}") from None
    return text


def _samples(members: Members, last_step: int) -> tuple[SampleText, ...]:
    rows = parsed(SAMPLES, members.read(SAMPLES))
    if not isinstance(rows, list) or len(rows) > MAX_SAMPLES:
        raise refused(SAMPLES, f"is not a list of at most {MAX_SAMPLES:,} samples")
    found: list[SampleText] = []
    for row in rows:
        stored = JsonObject(SAMPLES, row)
        share = stored.number("verbatim_share", 1.0, 0.0) if "verbatim_share" in stored else math.nan
        sample = SampleText(
            step=stored.count("step", last_step, found[-1].step + 1 if found else 0),
            prompt=stored.text("prompt", MAX_SAMPLE),
            text=stored.text("text", MAX_SAMPLE),
            verbatim_share=share,
            longest_verbatim=stored.count("longest_verbatim", MAX_SAMPLE),
        )
        found.append(sample)
    return tuple(found)


# ---------------------------------------------------------------------- checkpoints


def _listed_checkpoints(stored: JsonObject, sizes: dict[str, tuple[int, str]]) -> tuple[CheckpointInfo, ...]:
    """The checkpoints that `run.json` lists, which must be exactly those in the archive."""
    found: list[CheckpointInfo] = []
    for row in stored.items("checkpoints", MAX_CHECKPOINTS):
        entry = JsonObject(RUN, row, "a checkpoint's ")
        step = entry.count("step", 10**9, found[-1].step + 1 if found else 0)
        name = checkpoint_name(step)
        if name not in sizes:
            raise refused(name, f"is missing but listed in {RUN}")
        found.append(CheckpointInfo(step, entry.flag("full"), *sizes[name], entry.number("created", MAX_SECONDS, 0.0)))
    unlisted = sorted({name for name in sizes if step_of(name) is not None} - {checkpoint_name(i.step) for i in found})
    if unlisted:
        raise refused(unlisted[0], f"is not listed in {RUN}")
    return tuple(found)


def _check_checkpoints(archive: RunArchive, settings: AppSettings, last_step: int) -> None:
    """Check every checkpoint, one at a time: does it belong to the run, and are its weights finite?"""
    expected = None
    plans: set[int] = set()
    extended: set[int] = set()
    for info in archive.checkpoints:
        name = checkpoint_name(info.step)
        checkpoint = read_checkpoint(name, archive.checkpoint(info.step))
        if expected is None:
            size = _vocabulary_size(name, checkpoint.vocabulary, archive, settings)
            expected = ExpectedRun(
                config=archive.run.config,
                corpus_sha256=archive.run.corpus_sha256,
                vocabulary=checkpoint.vocabulary,
                vocabulary_size=size,
                last_step=last_step,
                planned_steps=_planned(archive.run),
                most_steps=_last_step(archive.run.config, settings),
            )
        check_checkpoint(name, checkpoint, info.step, info.full, expected)
        plans.add(checkpoint.planned_steps)
        extended.add(checkpoint.extended_to)
    _check_plan(archive.run, plans - {0}, extended - {0})
    if expected is not None and archive.text is not None:
        _check_text(archive, expected)


def _planned(run: Run) -> int | None:
    """The steps that a run planned at first, as far as its config tells: a limit in seconds does not."""
    return None if run.config.training.seconds else run.config.training.steps


def _check_plan(run: Run, plans: set[int], extended: set[int]) -> None:
    """Refuse planned steps that are neither those of the run's checkpoints nor what one of them was extended to."""
    at_first = _planned(run)
    known = plans if at_first is None else {at_first}
    if len(known) > 1:
        raise refused(RUN, f"has checkpoints with {' and '.join(f'{plan:,}' for plan in sorted(known))} planned steps")
    if run.planned_steps is None or run.planned_steps in known | extended or not known:
        return
    due = "its config gives" if at_first is not None else "its checkpoints have"
    raise refused(RUN, f"has {run.planned_steps:,} planned steps, but {due} {min(known):,}")


def _vocabulary_size(member: str, text: str, archive: RunArchive, settings: AppSettings) -> int:
    """The size of the vocabulary, once it and the model size that follows from it are checked."""
    data, model = archive.run.config.data, archive.run.config.model
    try:
        vocabulary = Vocabulary.from_json(text)
    except TextError as error:
        raise refused(member, f"has an invalid vocabulary: {printable(str(error))}") from None
    if vocabulary.level != data.level or len(vocabulary) > data.vocabulary_limit or vocabulary.to_json() != text:
        raise refused(member, "has a vocabulary that does not match its config: it belongs to another run")
    parameters = parameter_count(model, len(vocabulary))
    if parameters > settings.max_parameters:
        raise refused(
            RUN,
            f"has a model of {parameters:,} parameters, more than the {settings.max_parameters:,} allowed here "
            "(UNROLLED_MAX_PARAMETERS)",
            "Ask the operator of this server.",
        )
    if archive.run.parameters not in (None, parameters):
        raise refused(RUN, f"has {archive.run.parameters:,} parameters, but its config gives {parameters:,}")
    return len(vocabulary)


def _check_text(archive: RunArchive, expected: ExpectedRun) -> None:
    """Check that the text in the archive is the one that the checkpoints learned."""
    data = archive.run.config.data
    # The words of a vocabulary were once those of the whole text: the hash shows that only they are others.
    vocabulary = Vocabulary.from_json(expected.vocabulary) if data.level == "word" else None
    try:
        corpus = prepare(data, lambda _: archive.text or "", vocabulary=vocabulary)
    except (TextError, ConfigError) as error:
        raise refused(TEXT, f"cannot be used: {printable(str(error))}") from None
    if (corpus.sha256, corpus.vocabulary.to_json()) != (expected.corpus_sha256, expected.vocabulary):
        raise refused(TEXT, "is not the text that the checkpoints were trained on")
