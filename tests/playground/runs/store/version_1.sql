-- The tables of a store of version 1, as Unrolled made them then.
CREATE TABLE schema_version (
    version INTEGER NOT NULL
);
CREATE TABLE runs (
    id VARCHAR(40) NOT NULL,
    name TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    config TEXT NOT NULL,
    corpus TEXT NOT NULL,
    owner TEXT NOT NULL,
    visibility VARCHAR(16) NOT NULL,
    created FLOAT NOT NULL,
    queued FLOAT,
    started FLOAT,
    ended FLOAT,
    step INTEGER NOT NULL,
    planned_steps INTEGER,
    parameters BIGINT,
    evaluation_steps TEXT NOT NULL,
    best_step INTEGER,
    best_loss FLOAT,
    val_loss FLOAT,
    last_loss FLOAT,
    tokens_per_second FLOAT,
    seconds FLOAT NOT NULL,
    train_seconds FLOAT NOT NULL,
    message TEXT NOT NULL,
    suggestion TEXT NOT NULL,
    why VARCHAR(32) NOT NULL,
    parent_run VARCHAR(40),
    parent_step INTEGER,
    race VARCHAR(40),
    race_place INTEGER NOT NULL,
    device VARCHAR(64) NOT NULL,
    threads INTEGER,
    corpus_sha256 VARCHAR(64) NOT NULL,
    live_step INTEGER,
    version INTEGER NOT NULL,
    rewritten INTEGER NOT NULL,
    trainer VARCHAR(40),
    claim INTEGER NOT NULL,
    steps_wanted INTEGER,
    PRIMARY KEY (id)
);
CREATE INDEX runs_by_race ON runs (race);
CREATE INDEX runs_by_status ON runs (status, queued);
CREATE TABLE metrics (
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    loss FLOAT,
    grad_norm FLOAT,
    clipped_norm FLOAT,
    learning_rate FLOAT,
    clip_threshold FLOAT,
    tokens_per_second FLOAT,
    seconds FLOAT,
    train_seconds FLOAT,
    version INTEGER NOT NULL,
    PRIMARY KEY (run, step)
);
CREATE INDEX metrics_by_version ON metrics (run, version);
CREATE TABLE evaluations (
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    val_loss FLOAT,
    bits_per_character FLOAT,
    train_loss FLOAT,
    best BOOLEAN NOT NULL,
    rising BOOLEAN NOT NULL,
    seconds FLOAT,
    train_seconds FLOAT,
    version INTEGER NOT NULL,
    PRIMARY KEY (run, step)
);
CREATE INDEX evaluations_by_version ON evaluations (run, version);
CREATE TABLE samples (
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    text TEXT NOT NULL,
    verbatim_share FLOAT,
    longest_verbatim INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (run, step)
);
CREATE INDEX samples_by_version ON samples (run, version);
CREATE TABLE checkpoints (
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    "full" BOOLEAN NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    blob VARCHAR(120) NOT NULL,
    created FLOAT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (run, step)
);
CREATE INDEX checkpoints_by_version ON checkpoints (run, version);
CREATE TABLE changes (
    id INTEGER NOT NULL,
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    "key" VARCHAR(40) NOT NULL,
    value FLOAT,
    text TEXT NOT NULL,
    "when" FLOAT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX changes_by_version ON changes (run, version);
CREATE TABLE commands (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    run VARCHAR(40) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    value FLOAT,
    created FLOAT NOT NULL
);
CREATE INDEX commands_by_run ON commands (run, id);
CREATE TABLE watches (
    run VARCHAR(40) NOT NULL,
    seen FLOAT NOT NULL,
    PRIMARY KEY (run)
);
CREATE TABLE live (
    run VARCHAR(40) NOT NULL,
    step INTEGER NOT NULL,
    blob VARCHAR(120) NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (run)
);
CREATE TABLE trainers (
    id VARCHAR(40) NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    started FLOAT NOT NULL,
    heartbeat FLOAT NOT NULL,
    workers INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE texts (
    sha256 VARCHAR(64) NOT NULL,
    bytes BIGINT NOT NULL,
    created FLOAT NOT NULL,
    PRIMARY KEY (sha256)
);
CREATE TABLE blobs (
    folder VARCHAR(40) NOT NULL,
    name VARCHAR(120) NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (folder, name)
);
INSERT INTO schema_version (version) VALUES (1);
