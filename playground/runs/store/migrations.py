"""Opening a database: its tables are created or migrated to this version, or it is refused and left untouched.

Each of the `STEPS` migrates a store from one version to the next. It defines the tables as they were then by itself,
because those in `schema` change. All steps run in one transaction that first reads the version again: if two
processes open an old store at once, one migrates it and the other finds it done, and a process that is killed
meanwhile has changed nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    column,
    inspect,
    select,
    table,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from playground.runs.records import StoreError
from playground.runs.store import sparkline
from playground.runs.store.schema import SCHEMA_VERSION, metadata, schema_version


def prepare(engine: Engine) -> None:
    """Create the tables in an empty database; migrate those of an older version to this one.

    Raises:
        StoreError: the database cannot be reached, or was made by a newer or an unknown Unrolled.
    """
    try:
        _refuse(_version_on_disk(engine))
        version = _version(engine)
        _refuse(version)
        if version is None:
            _create(engine)
            version = _version(engine)
        if version != SCHEMA_VERSION:
            _migrate(engine)
    except DBAPIError as error:
        raise StoreError(f"The store cannot be opened ({error.orig}): check UNROLLED_STORE.") from None


def _refuse(version: int | None) -> None:
    """Refuse a version that this code can neither read nor migrate. Raises StoreError."""
    if version is None or version == SCHEMA_VERSION or version in STEPS:
        return
    raise StoreError(
        f"This store has version {version}; this Unrolled reads version {SCHEMA_VERSION}. It was not changed: "
        "update Unrolled, or set UNROLLED_STORE to another location."
    )


def _version_on_disk(engine: Engine) -> int | None:
    """The version of an SQLite file, read without writing a byte; None if it cannot be read in this way.

    The pool's connections switch the file to a write-ahead log, and the last one to close moves that log into the
    file: they must not open a file that is to be left untouched.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    path = Path(engine.url.database)
    if not path.is_file():
        return None
    # Without a log beside it the file is complete, and reading it as immutable creates no other files.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
            row = connection.execute("SELECT version FROM schema_version").fetchone()
    except sqlite3.Error:
        return None  # empty, or no database: the pool's connection finds out and raises
    return row[0] if row else None


def _version(engine: Engine) -> int | None:
    """The version of the tables; None if there are none."""
    try:
        with engine.connect() as connection:
            return connection.scalar(select(schema_version.c.version))
    except DBAPIError:
        if inspect(engine).has_table("schema_version"):
            raise
        return None


def _create(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        if not inspect(connection).has_table("schema_version"):  # an older Unrolled may have been faster
            metadata.create_all(connection)
        if connection.scalar(select(schema_version.c.version)) is None:
            connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))


def _migrate(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        version = connection.execute(select(schema_version.c.version).with_for_update()).scalar_one()
        while version != SCHEMA_VERSION:  # another process may have been faster
            _refuse(version)
            STEPS[version](connection)
            version += 1
            connection.execute(update(schema_version).values(version=version))


def _from_1(connection: Connection) -> None:
    """Runs get a sparkline and a time of deletion, live weights their size."""
    for statement in (
        "ALTER TABLE runs ADD COLUMN spark TEXT DEFAULT '[]' NOT NULL",
        "ALTER TABLE runs ADD COLUMN deleted DOUBLE PRECISION",
        "ALTER TABLE live ADD COLUMN bytes BIGINT DEFAULT 0 NOT NULL",
        "CREATE INDEX checkpoints_by_size ON checkpoints (run, bytes)",
    ):
        connection.execute(text(statement))
    runs = table("runs", column("id"), column("spark"))
    metrics = table("metrics", column("run"), column("step"), column("loss"))
    for run_id in list(connection.scalars(select(runs.c.id))):
        found = select(metrics.c.step, metrics.c.loss).where(metrics.c.run == run_id).order_by(metrics.c.step)
        points = sparkline.thinned(
            [(row.step, float("nan") if row.loss is None else row.loss) for row in connection.execute(found)]
        )
        if points:
            connection.execute(update(runs).where(runs.c.id == run_id).values(spark=json.dumps(points)))


def _from_2(connection: Connection) -> None:
    """Columns for what an evaluation read, time left, facts on and names of texts, and who sent a command."""
    for statement in (
        "ALTER TABLE evaluations ADD COLUMN tokens_read BIGINT",
        "ALTER TABLE evaluations ADD COLUMN tokens_in_all BIGINT",
        "ALTER TABLE runs ADD COLUMN seconds_left DOUBLE PRECISION",
        "ALTER TABLE runs ADD COLUMN text_facts TEXT",
        "ALTER TABLE texts ADD COLUMN name TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE commands ADD COLUMN actor VARCHAR(16) DEFAULT '' NOT NULL",
    ):
        connection.execute(text(statement))


def _from_3(connection: Connection) -> None:
    """Tables for jobs and for findings."""
    tables = MetaData()
    jobs = Table(
        "jobs",
        tables,
        Column("id", String(40), primary_key=True),
        *[Column(name, String(length), nullable=False) for name, length in (("run", 40), ("weights", 64))],
        *[Column(name, String(length), nullable=False) for name, length in (("kind", 40), ("state", 16))],
        *[Column(name, Text, nullable=False) for name in ("arguments", "owner", "message")],
        *[Column(name, Integer, nullable=False) for name in ("step", "attempts", "claim")],
        *[Column(name, Float(53), nullable=False) for name in ("progress", "created")],
        *[Column(name, Float(53)) for name in ("seconds_left", "started", "ended")],
        Column("trainer", String(40)),
        Column("result", LargeBinary),
        Column("bytes", BigInteger, nullable=False),
    )
    findings = Table(
        "findings",
        tables,
        *[Column(name, String(40), primary_key=True) for name in ("run", "owner")],
        *[Column(name, Integer, primary_key=True) for name in ("layer", "unit")],
        Column("quantity", String(40), nullable=False),
        *[Column(name, Text, nullable=False) for name in ("name", "hypothesis")],
        *[Column(name, Float(53)) for name in ("score", "baseline")],
        *[Column(name, Integer, nullable=False) for name in ("step", "version")],
        Column("created", Float(53), nullable=False),
    )
    for made in (jobs, findings):
        connection.execute(CreateTable(made))
    connection.execute(text("CREATE INDEX jobs_by_state ON jobs (state, created)"))
    connection.execute(text("CREATE INDEX jobs_by_run ON jobs (run, bytes)"))


STEPS: Mapping[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""The migration from each version to the next."""
