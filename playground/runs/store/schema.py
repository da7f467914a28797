"""The tables, and how a database with them is opened.

Columns are plain types that SQLite and PostgreSQL share. Rows that belong to a run carry the run's
`version` at which they were written, so that a reader asks for what is new with one comparison, and a
step that is trained twice (after a crash) replaces its row and is seen again.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.schema import SchemaItem

from playground.runs.records import StoreError

SCHEMA_VERSION = 4
"""Increases with every change to the tables; `migrations` upgrades older stores."""

BUSY_MILLISECONDS = 10_000
"""How long a writer waits for another one before it gives up."""

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))


def _floats(*names: str) -> list[Column]:
    """Columns of double precision that may be null, where NaN is stored as null."""
    return [Column(name, Float(53)) for name in names]


runs = Table(
    "runs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("config", Text, nullable=False),
    Column("corpus", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("created", Float(53), nullable=False),
    *_floats("queued", "started", "ended"),
    Column("step", Integer, nullable=False, default=0),
    Column("planned_steps", Integer),
    Column("parameters", BigInteger),
    Column("evaluation_steps", Text, nullable=False, default="[]"),
    Column("best_step", Integer),
    *_floats("best_loss", "val_loss", "last_loss", "tokens_per_second"),
    Column("seconds", Float(53), nullable=False, default=0.0),
    Column("train_seconds", Float(53), nullable=False, default=0.0),
    *_floats("seconds_left"),
    Column("message", Text, nullable=False, default=""),
    Column("suggestion", Text, nullable=False, default="{}"),
    Column("why", String(32), nullable=False, default=""),
    Column("parent_run", String(40)),
    Column("parent_step", Integer),
    Column("race", String(40)),
    Column("race_place", Integer, nullable=False, default=0),
    Column("device", String(64), nullable=False, default=""),
    Column("threads", Integer),
    Column("corpus_sha256", String(64), nullable=False, default=""),
    Column("live_step", Integer),
    Column("version", Integer, nullable=False, default=1),
    # the version at which rows were last deleted: a reader of an older one reads all rows again
    Column("rewritten", Integer, nullable=False, default=0),
    # which trainer has the run (null: none), and how often it was claimed: a worker with an older
    # claim number has lost the run and may no longer write to it
    Column("trainer", String(40)),
    Column("claim", Integer, nullable=False, default=0),
    # train this many steps, then pause; null trains to the end
    Column("steps_wanted", Integer),
    # a few (step, loss) of the metrics as JSON, so that a list of runs needs no other table
    Column("spark", Text, nullable=False, server_default="[]"),
    # when it was deleted (null: it was not; 0: it is being removed and cannot be restored)
    Column("deleted", Float(53)),
    # facts on the run's text as JSON (null: not known)
    Column("text_facts", Text),
    Index("runs_by_status", "status", "queued"),
    Index("runs_by_race", "race"),
)


def _rows(name: str, *columns: SchemaItem) -> Table:
    """A table with at most one row for each (run, step)."""
    return Table(
        name,
        metadata,
        Column("run", String(40), primary_key=True),
        Column("step", Integer, primary_key=True),
        *columns,
        Column("version", Integer, nullable=False),
        Index(f"{name}_by_version", "run", "version"),
    )


metrics = _rows(
    "metrics",
    *_floats("loss", "grad_norm", "clipped_norm", "learning_rate", "clip_threshold"),
    *_floats("tokens_per_second", "seconds", "train_seconds"),
)

evaluations = _rows(
    "evaluations",
    *_floats("val_loss", "bits_per_character", "train_loss"),
    Column("best", Boolean, nullable=False),
    Column("rising", Boolean, nullable=False),
    *_floats("seconds", "train_seconds"),
    # null in runs of an older Unrolled, which read all tokens
    Column("tokens_read", BigInteger),
    Column("tokens_in_all", BigInteger),
)

samples = _rows(
    "samples",
    Column("prompt", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("verbatim_share", Float(53)),
    Column("longest_verbatim", Integer),
)

checkpoints = _rows(
    "checkpoints",
    Column("full", Boolean, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blob", String(120), nullable=False),
    Column("created", Float(53), nullable=False),
    Index("checkpoints_by_size", "run", "bytes"),
)

changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(40), nullable=False),
    Column("step", Integer, nullable=False),
    Column("key", String(40), nullable=False),
    Column("value", Float(53)),
    Column("text", Text, nullable=False, default=""),
    Column("when", Float(53), nullable=False),
    Column("version", Integer, nullable=False),
    Index("changes_by_version", "run", "version"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String(40), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", Float(53)),
    # who asked, as sentences say it; empty for the app itself
    Column("actor", String(16), nullable=False, server_default=""),
    Column("created", Float(53), nullable=False),
    Index("commands_by_run", "run", "id"),
    sqlite_autoincrement=True,  # a poller asks for ids above the last: none may be reused
)

watches = Table(
    "watches",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("seen", Float(53), nullable=False),
)

live = Table(
    "live",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("step", Integer, nullable=False),
    Column("blob", String(120), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
)

trainers = Table(
    "trainers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("started", Float(53), nullable=False),
    Column("heartbeat", Float(53), nullable=False),
    Column("workers", Integer, nullable=False),
)

texts = Table(
    "texts",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("created", Float(53), nullable=False),
    # the file's, or its first words; empty for one that an earlier version stored
    Column("name", Text, nullable=False, server_default=""),
)

jobs = Table(
    "jobs",
    metadata,
    # a hash of what determines the result: the columns up to `arguments`
    Column("id", String(40), primary_key=True),
    # a starter run's id too, which has no row among the runs
    Column("run", String(40), nullable=False),
    Column("step", Integer, nullable=False),
    Column("weights", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Float(53), nullable=False, default=0.0),
    *_floats("seconds_left"),
    Column("message", Text, nullable=False, default=""),
    # how often a worker has begun it and ended before it was done
    Column("attempts", Integer, nullable=False, default=0),
    # as for runs: a worker with an older claim number has lost the job
    Column("trainer", String(40)),
    Column("claim", Integer, nullable=False, default=0),
    Column("created", Float(53), nullable=False),
    *_floats("started", "ended"),
    # JSON, compressed with zlib, and its bytes
    Column("result", LargeBinary),
    Column("bytes", BigInteger, nullable=False, default=0),
    Index("jobs_by_state", "state", "created"),
    Index("jobs_by_run", "run", "bytes"),
)

findings = Table(
    "findings",
    metadata,
    # a starter run's id too, whose findings here are one visitor's own
    Column("run", String(40), primary_key=True),
    Column("owner", String(40), primary_key=True),
    Column("layer", Integer, primary_key=True),
    Column("unit", Integer, primary_key=True),
    Column("quantity", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("hypothesis", Text, nullable=False),
    *_floats("score", "baseline"),
    Column("step", Integer, nullable=False),
    Column("created", Float(53), nullable=False),
    Column("version", Integer, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("folder", String(40), primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

OF_A_RUN: tuple[Table, ...] = (
    metrics, evaluations, samples, changes, checkpoints, commands, watches, live, jobs, findings,
)  # fmt: skip
"""Tables whose rows are deleted with their run."""


def open_engine(url: str) -> Engine:
    """A pool of connections to the database at `url`; makes the folder of an SQLite file.

    Raises:
        StoreError: the URL cannot be read, its driver is missing, or the folder cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError("UNROLLED_STORE must name a file: the app and its trainer share the store through it.")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_MILLISECONDS / 1000}, pool_size=5, max_overflow=20)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise StoreError(
            f"UNROLLED_STORE is {url!r}, which cannot be opened ({error}); set it to an SQLAlchemy URL such as "
            "sqlite:////home/me/runs/store.sqlite, and install the driver it names."
        ) from None
    except OSError as error:
        raise StoreError(
            f"The store's folder cannot be created ({error}): set UNROLLED_STORE to another location."
        ) from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
        # takes effect only before the first table: lets unused pages be returned to the disk
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # survives kill -9; a power cut may cost the last moments
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_size_limit=16777216",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # a writer locks at once: a reader that starts to write later fails if another writer was faster
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def upsert(engine: Engine, table: Table) -> Any:
    """An insert into `table` that replaces the row with the same primary key, in the database's dialect."""
    return _upsert(engine.dialect.name, table)


def insert_new(engine: Engine, table: Table) -> Any:
    """An insert into `table` that leaves a row with the same primary key as it is, in the database's dialect."""
    return _insert(engine.dialect.name, table).on_conflict_do_nothing(index_elements=_keys(table))


def _insert(dialect: str, table: Table) -> Any:
    return (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)


def _keys(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


@functools.cache  # building the statement takes longer than running it
def _upsert(dialect: str, table: Table) -> Any:
    keys = _keys(table)
    insert = _insert(dialect, table)
    others = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=others)
