"""From the bytes of a run file to a run that can be brought in: every check there is, before anything is written.

The file may come from anywhere. Each check has its own sentence, which names the member at fault. All work
is bounded by the size that a run file may have; nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import math
import re

from engine.config import Config, ConfigError
from engine.data import TextError, Vocabulary, clean, prepare
from engine.models.language_model import parameter_count
from engine.validate import validate
from playground.runs.archive.form import (
    CHANGES,
    EVALUATIONS,
    FORMAT,
    LARGEST,
    LARGEST_FILE,
    LATEST,
    LONGEST_NAME,
    LONGEST_SAMPLE,
    LONGEST_SENTENCE,
    MANIFEST,
    METRICS,
    MOST_CHECKPOINTS,
    MOST_ROWS,
    MOST_SAMPLES,
    REQUIRED,
    RUN,
    SAMPLES,
    TEXT,
    because,
    checkpoint_name,
    refused,
    shown,
    step_of,
)
from playground.runs.archive.members import Members
from playground.runs.archive.parcel import Parcel
from playground.runs.archive.plain import Plain, parsed
from playground.runs.archive.tables import from_csv
from playground.runs.archive.weights import Belonging, check_checkpoint, read_checkpoint
from playground.runs.records import STATUSES, Change, CheckpointInfo, Evaluation, Metric, Run, SampleText
from playground.runs.settings import Settings

STEPS_A_SECOND = 10_000
"""No model trains faster: a run planned by seconds has at most so many steps for each."""

_OWN = re.compile(r"own:[0-9a-f]{64}", re.ASCII)


def most_bytes(settings: Settings) -> int:
    """The largest run file that is brought in here, in bytes."""
    return min(LARGEST_FILE, settings.max_store_bytes)


def unpack(raw: bytes, settings: Settings) -> Parcel:
    """The run in a run file.

    Raises:
        ParcelError: the file, or something in it, cannot stand; says what and what to do
    """
    members = Members(raw, most_bytes(settings))
    manifest = Plain(MANIFEST, parsed(MANIFEST, members.read(MANIFEST)))
    sizes = _check_manifest(manifest, members)
    plain = Plain(RUN, parsed(RUN, members.read(RUN)))
    listed = _listed_checkpoints(plain, sizes)
    config = _config(plain)
    run = _run(Plain(RUN, plain.raw("run"), "the run's "), config, settings)
    last_step = run.planned_steps or _last_step(config, settings)
    text = _own_text(config, members)
    parcel = Parcel(
        run=run,
        metrics=from_csv(METRICS, Metric, members.read(METRICS), last_step),
        evaluations=from_csv(EVALUATIONS, Evaluation, members.read(EVALUATIONS), last_step),
        samples=_samples(members, last_step),
        changes=from_csv(CHANGES, Change, members.read(CHANGES), last_step),
        checkpoints=listed,
        text=text,
        left_out=tuple(_steps(plain, "left_out", MOST_ROWS)),
        made_by=manifest.line("made_by", LONGEST_NAME),
        made=manifest.number("made", LATEST, 0.0),
        members=members,
    )
    _check_checkpoints(parcel, settings, last_step)
    return parcel


# ---------------------------------------------------------------------- manifest


def _check_manifest(manifest: Plain, members: Members) -> dict[str, tuple[int, str]]:
    """Compare the list of members with those that are there, byte for byte; their sizes and hashes."""
    version = manifest.raw("format")
    if type(version) is int and version > FORMAT:
        raise refused(
            MANIFEST, f"has format {shown(str(version)[:20])}, and this Unrolled reads format {FORMAT}",
            "Update Unrolled, then bring it in.",
        )  # fmt: skip
    manifest.count("format", FORMAT, FORMAT)
    listed = manifest.raw("members")
    if not isinstance(listed, dict):
        raise manifest.wrong("members", "the list of members")
    for name in sorted(members.names | set(listed)):
        if name not in LARGEST and step_of(name) is None:
            raise refused(name, "is no member of a run file", "Bring in a file that Unrolled made, with nothing added.")
    missing = sorted((set(listed) | REQUIRED) - members.names)
    if missing:
        raise refused(missing[0], "is missing")
    unexpected = sorted(members.names - set(listed) - {MANIFEST})
    if unexpected:
        raise refused(unexpected[0], f"is not in {MANIFEST}: it was added later")
    return {name: _check_unedited(name, listed[name], members) for name in sorted(set(listed) - {MANIFEST})}


def _check_unedited(name: str, told: object, members: Members) -> tuple[int, str]:
    entry = Plain(MANIFEST, told, f"the entry of {shown(name)} ")
    expected = entry.count("bytes", LARGEST_FILE), entry.line("sha256", 64)
    found = members.digest(name)
    if found != expected:
        raise refused(name, f"is not what {MANIFEST} says it is (its size or SHA-256 differs): it was changed since")
    return found


# ---------------------------------------------------------------------- the run


def _config(plain: Plain) -> Config:
    run = Plain(RUN, plain.raw("run"), "the run's ")
    try:
        config = validate(Config.from_dict(run.raw("config")))
    except ConfigError as error:
        raise refused(RUN, f"has a config that cannot stand: {because(error)}") from None
    corpus = config.data.corpus
    if corpus.startswith("file:"):
        raise refused(RUN, "learns a text by its path on another machine", "Train on an uploaded text instead.")
    if corpus.startswith("own:") and not _OWN.fullmatch(corpus):
        raise refused(RUN, f"names its text {shown(corpus)}, which is no SHA-256")
    return config


def _last_step(config: Config, settings: Settings) -> int:
    """The last step that a run of `config` can have, before its plan is known."""
    if not config.training.seconds:
        return config.training.steps
    return max(settings.max_steps, math.ceil(config.training.seconds * STEPS_A_SECOND))


def _run(plain: Plain, config: Config, settings: Settings) -> Run:
    """The run that `run.json` describes, its own numbers checked against each other."""
    last = _last_step(config, settings)
    planned = plain.count("planned_steps", last, 1) if "planned_steps" in plain else None
    if planned is not None and not config.training.seconds and planned != config.training.steps:
        raise plain.wrong("planned_steps", f"{config.training.steps:,}, as its config has it,")
    last = planned or last
    status = plain.line("status", 16)
    if status not in STATUSES:
        raise plain.wrong("status", f"one of {', '.join(STATUSES)}")
    return Run(
        id=plain.line("id", 40),
        name=plain.line("name", LONGEST_NAME),
        status=status,
        config=config,
        visibility="private" if plain.raw("visibility") == "private" else "public",
        created=plain.number("created", LATEST, 0.0),
        started=_optional(plain, "started"),
        ended=_optional(plain, "ended"),
        step=plain.count("step", last),
        planned_steps=planned,
        parameters=plain.count("parameters", settings.max_parameters) if "parameters" in plain else None,
        evaluation_steps=tuple(_steps(plain, "evaluation_steps", 1_000, last)),
        best_step=plain.count("best_step", last) if "best_step" in plain else None,
        best_loss=plain.number("best_loss") if "best_loss" in plain else None,
        val_loss=plain.number("val_loss") if "val_loss" in plain else None,
        last_loss=plain.number("last_loss") if "last_loss" in plain else None,
        tokens_per_second=plain.number("tokens_per_second") if "tokens_per_second" in plain else None,
        seconds=plain.number("seconds", LATEST, 0.0),
        train_seconds=plain.number("train_seconds", LATEST, 0.0),
        message=plain.line("message", LONGEST_SENTENCE),
        suggestion=_suggestion(plain, config),
        why=plain.line("why", 32),
        parent=_parent(plain),
        device=plain.line("device", 64),
        threads=plain.count("threads", 256, 1) if "threads" in plain else None,
        corpus_sha256=plain.line("corpus_sha256", 64),
    )


def _optional(plain: Plain, name: str) -> float | None:
    return plain.number(name, LATEST, 0.0) if name in plain else None


def _steps(plain: Plain, name: str, most: int, last: int = 10**9) -> list[int]:
    steps = plain.items(name, most)
    if not all(type(step) is int and 0 <= step <= last for step in steps):
        raise plain.wrong(name, f"a list of steps up to {last:,}")
    return steps


def _suggestion(plain: Plain, config: Config) -> dict[str, object]:
    given = plain.raw("suggestion")
    try:
        config.with_values(**given)
    except (ConfigError, TypeError):
        raise plain.wrong("suggestion", "an object of settings") from None
    return dict(given)


def _parent(plain: Plain) -> tuple[str, int] | None:
    if "parent" not in plain:
        return None
    pair = plain.items("parent", 2)
    if len(pair) != 2 or not isinstance(pair[0], str) or len(pair[0]) > 40 or type(pair[1]) is not int:
        raise plain.wrong("parent", "a run and a step")
    return pair[0], pair[1]


# ---------------------------------------------------------------------- texts


def _own_text(config: Config, members: Members) -> str | None:
    """The visitor's text that came along; its hash is the name of the corpus."""
    if TEXT not in members.names:
        return None
    raw = members.read(TEXT)
    if config.data.corpus != f"own:{hashlib.sha256(raw).hexdigest()}":
        raise refused(TEXT, "is not the text that the run learns")
    try:
        text = raw.decode("utf-8")
        clean(text)
    except (UnicodeDecodeError, TextError) as error:
        raise refused(TEXT, f"cannot be learned: {shown(str(error))}") from None
    return text


def _samples(members: Members, last_step: int) -> tuple[SampleText, ...]:
    rows = parsed(SAMPLES, members.read(SAMPLES))
    if not isinstance(rows, list) or len(rows) > MOST_SAMPLES:
        raise refused(SAMPLES, f"is not a list of at most {MOST_SAMPLES:,} samples")
    found: list[SampleText] = []
    for row in rows:
        plain = Plain(SAMPLES, row)
        share = plain.number("verbatim_share", 1.0, 0.0) if "verbatim_share" in plain else math.nan
        sample = SampleText(
            step=plain.count("step", last_step, found[-1].step + 1 if found else 0),
            prompt=plain.text("prompt", LONGEST_SAMPLE),
            text=plain.text("text", LONGEST_SAMPLE),
            verbatim_share=share,
            longest_verbatim=plain.count("longest_verbatim", LONGEST_SAMPLE),
        )
        found.append(sample)
    return tuple(found)


# ---------------------------------------------------------------------- checkpoints


def _listed_checkpoints(plain: Plain, sizes: dict[str, tuple[int, str]]) -> tuple[CheckpointInfo, ...]:
    """The checkpoints that `run.json` lists; those and no others are there."""
    found: list[CheckpointInfo] = []
    for row in plain.items("checkpoints", MOST_CHECKPOINTS):
        entry = Plain(RUN, row, "a checkpoint's ")
        step = entry.count("step", 10**9, found[-1].step + 1 if found else 0)
        name = checkpoint_name(step)
        if name not in sizes:
            raise refused(name, f"is missing, and {RUN} lists it")
        found.append(CheckpointInfo(step, entry.flag("full"), *sizes[name], entry.number("created", LATEST, 0.0)))
    unlisted = sorted({name for name in sizes if step_of(name) is not None} - {checkpoint_name(i.step) for i in found})
    if unlisted:
        raise refused(unlisted[0], f"is not a checkpoint that {RUN} lists")
    return tuple(found)


def _check_checkpoints(parcel: Parcel, settings: Settings, last_step: int) -> None:
    """Look into every checkpoint, one at a time: does it belong to the run, and are its weights numbers?"""
    belonging = None
    for info in parcel.checkpoints:
        name = checkpoint_name(info.step)
        checkpoint = read_checkpoint(name, parcel.checkpoint(info.step))
        if belonging is None:
            size = _vocabulary_size(name, checkpoint.vocabulary, parcel, settings)
            belonging = Belonging(
                config=parcel.run.config,
                corpus_sha256=parcel.run.corpus_sha256,
                vocabulary=checkpoint.vocabulary,
                vocabulary_size=size,
                last_step=last_step,
                planned_steps=parcel.run.planned_steps,
            )
        check_checkpoint(name, checkpoint, info.step, info.full, belonging)
    if belonging is not None and parcel.text is not None:
        _check_text(parcel, belonging)


def _vocabulary_size(member: str, text: str, parcel: Parcel, settings: Settings) -> int:
    """The number of symbols that the model knows, once its vocabulary and the size that follows can stand."""
    data, model = parcel.run.config.data, parcel.run.config.model
    try:
        vocabulary = Vocabulary.from_json(text)
    except TextError as error:
        raise refused(member, f"has a vocabulary that cannot stand: {shown(str(error))}") from None
    if vocabulary.level != data.level or len(vocabulary) > data.vocabulary_limit or vocabulary.to_json() != text:
        raise refused(member, "has a vocabulary other than its config has it: it is of another run")
    parameters = parameter_count(model, len(vocabulary))
    if parameters > settings.max_parameters:
        raise refused(
            RUN,
            f"has a model of {parameters:,} parameters, more than the {settings.max_parameters:,} allowed here "
            "(UNROLLED_MAX_PARAMETERS)",
            "Ask whoever runs this installation.",
        )
    if parcel.run.parameters not in (None, parameters):
        raise refused(RUN, f"has {parcel.run.parameters:,} parameters, where its config has {parameters:,}")
    return len(vocabulary)


def _check_text(parcel: Parcel, belonging: Belonging) -> None:
    """Whether the text that came along is the one that the checkpoints learned."""
    try:
        corpus = prepare(parcel.run.config.data, lambda _: parcel.text or "")
    except (TextError, ConfigError) as error:
        raise refused(TEXT, f"cannot be learned: {shown(str(error))}") from None
    if (corpus.sha256, corpus.vocabulary.to_json()) != (belonging.corpus_sha256, belonging.vocabulary):
        raise refused(TEXT, "is not the text that the checkpoints learned")
