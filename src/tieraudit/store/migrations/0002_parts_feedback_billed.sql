-- Rows of a log that are no calls by themselves: parts of calls, feedback on calls, and billed sums to check against.

ALTER TABLE ingests RENAME TO ingests_before;
CREATE TABLE ingests (
    ingest_id        INTEGER PRIMARY KEY,
    started_at       TIMESTAMPTZ NOT NULL,
    source_file      VARCHAR NOT NULL,
    source_format    VARCHAR NOT NULL,
    rows_read        BIGINT NOT NULL,
    rows_kept        BIGINT NOT NULL,
    rows_duplicate   BIGINT NOT NULL,
    rows_quarantined BIGINT NOT NULL,
    rows_parts       BIGINT NOT NULL DEFAULT 0,               -- parts of calls, feedback, billed sums
    CHECK (rows_read = rows_kept + rows_duplicate + rows_quarantined + rows_parts)
);
INSERT INTO ingests SELECT *, 0 FROM ingests_before;
DROP TABLE ingests_before;

CREATE TABLE fragments (
    ingest_id     INTEGER NOT NULL,
    source_format VARCHAR NOT NULL,
    key           VARCHAR NOT NULL,
    part          VARCHAR NOT NULL,
    source_file   VARCHAR NOT NULL,
    source_line   BIGINT NOT NULL,
    record        JSON NOT NULL,                    -- secrets removed
    digest        VARCHAR NOT NULL,                 -- of part and record: the same row again is known by it
    joined        BOOLEAN NOT NULL                  -- whether the calls of this key were made since it came
);

CREATE TABLE feedback (
    ingest_id     INTEGER NOT NULL,
    source_format VARCHAR NOT NULL,
    source_file   VARCHAR NOT NULL,
    source_line   BIGINT NOT NULL,
    source_id     VARCHAR,                          -- of the call in its log; NULL: of the whole trace
    trace_id      VARCHAR,
    name          VARCHAR NOT NULL,
    value         DOUBLE,
    label         VARCHAR,
    comment       VARCHAR,
    given_at      TIMESTAMPTZ
);

CREATE TABLE billed (
    ingest_id     INTEGER NOT NULL,
    source_format VARCHAR NOT NULL,
    source_file   VARCHAR NOT NULL,
    source_line   BIGINT NOT NULL,
    started_at    TIMESTAMPTZ NOT NULL,
    ended_at      TIMESTAMPTZ NOT NULL,
    provider      VARCHAR NOT NULL,
    model         VARCHAR,
    calls         BIGINT,
    input_tokens  BIGINT,
    cache_read_input_tokens     BIGINT,
    cache_creation_input_tokens BIGINT,
    output_tokens BIGINT,
    reasoning_output_tokens     BIGINT,
    cost_usd      DECIMAL(18, 9),
    account       VARCHAR,
    kind          VARCHAR
);

-- Which calls were made of which parts: when a later part changes what a key means, a call that is none any more goes.
CREATE TABLE joined_calls (
    source_format VARCHAR NOT NULL,
    key           VARCHAR NOT NULL,
    call_id       UUID NOT NULL
);
