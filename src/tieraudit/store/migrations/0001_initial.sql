-- The whole state of an audit. Big tables carry no key and no index (measured: a text key on calls costs more than the
-- rest of the load); small ones carry keys and CHECKs. Times are UTC, money is DECIMAL(18,9) US dollars.

CREATE TABLE ingests (
    ingest_id        INTEGER PRIMARY KEY,
    started_at       TIMESTAMPTZ NOT NULL,
    source_file      VARCHAR NOT NULL,
    source_format    VARCHAR NOT NULL,
    rows_read        BIGINT NOT NULL,
    rows_kept        BIGINT NOT NULL,
    rows_duplicate   BIGINT NOT NULL,
    rows_quarantined BIGINT NOT NULL,
    CHECK (rows_read = rows_kept + rows_duplicate + rows_quarantined)
);

CREATE TABLE calls (
    call_id                     UUID NOT NULL,      -- a hash of what makes the call itself: see pipeline/ingest.py
    ingest_id                   INTEGER NOT NULL,
    source_format               VARCHAR NOT NULL,
    source_file                 VARCHAR NOT NULL,
    source_line                 BIGINT NOT NULL,
    source_id                   VARCHAR,            -- the id in the log
    started_at                  TIMESTAMPTZ NOT NULL,
    latency_ms                  DOUBLE,
    time_to_first_token_ms      DOUBLE,
    provider                    VARCHAR,
    request_model               VARCHAR,
    response_model              VARCHAR,
    operation                   VARCHAR NOT NULL,
    stream                      BOOLEAN,
    request                     JSON,               -- a Chat Completions body without model and stream; NULL: not in the log
    response                    JSON,               -- {text, tool_calls, refusal, finish_reason}; NULL: not in the log
    content_state               VARCHAR NOT NULL CHECK (content_state IN ('full', 'no_response', 'redacted', 'absent')),
    input_tokens                BIGINT,             -- includes cached ones
    cache_read_input_tokens     BIGINT,
    cache_creation_input_tokens BIGINT,
    output_tokens               BIGINT,             -- includes reasoning
    reasoning_output_tokens     BIGINT,
    total_tokens                BIGINT,             -- the log's own
    logged_cost_usd             DECIMAL(18, 9),
    computed_cost_usd           DECIMAL(18, 9),     -- usage x dated price; NULL: no price known
    cost_usd                    DECIMAL(18, 9),     -- the log's own where it has one, else computed; NULL: unpriced
    error_type                  VARCHAR,            -- NULL: the provider answered
    error_message               VARCHAR,
    http_status                 INTEGER,
    cache_hit                   BOOLEAN NOT NULL,
    trace_id                    VARCHAR,
    conversation_id             VARCHAR,
    user_id                     VARCHAR,
    task_hint                   VARCHAR,            -- a prompt name, span name or route that the caller set
    tags                        VARCHAR[] NOT NULL,
    metadata                    JSON
);

CREATE TABLE quarantine (
    ingest_id   INTEGER NOT NULL,
    source_file VARCHAR NOT NULL,
    source_line BIGINT NOT NULL,
    reason      VARCHAR NOT NULL,
    excerpt     VARCHAR NOT NULL                    -- secrets removed, cut
);

CREATE TABLE price_table (
    provider    VARCHAR NOT NULL,
    model       VARCHAR NOT NULL,                   -- as logged
    valid_from  TIMESTAMPTZ NOT NULL,
    valid_to    TIMESTAMPTZ NOT NULL,
    input_above BIGINT NOT NULL,                    -- this row prices requests with input_above < input tokens <= input_up_to
    input_up_to BIGINT NOT NULL,
    input_usd_per_mtok          DECIMAL(18, 9) NOT NULL,
    cache_read_usd_per_mtok     DECIMAL(18, 9) NOT NULL,
    cache_creation_usd_per_mtok DECIMAL(18, 9) NOT NULL,
    output_usd_per_mtok         DECIMAL(18, 9) NOT NULL,
    reasoning_usd_per_mtok      DECIMAL(18, 9) NOT NULL,
    source      VARCHAR NOT NULL                    -- which price entry of which release
);

CREATE TABLE tasks (
    task_id         VARCHAR PRIMARY KEY,
    name            VARCHAR NOT NULL,
    type            VARCHAR NOT NULL,
    type_confidence DOUBLE NOT NULL,
    prior           VARCHAR NOT NULL,
    stakes          VARCHAR,
    stakes_because  VARCHAR,
    mixed           BOOLEAN NOT NULL,
    is_tail         BOOLEAN NOT NULL,
    calls           BIGINT NOT NULL,
    spend_usd       DECIMAL(18, 9),
    output_shape    VARCHAR NOT NULL,               -- label | json | tool_calls | number | short | text | code
    template        VARCHAR NOT NULL,               -- the prompt with its variable parts marked
    recognisers     JSON NOT NULL                   -- [{kind, value, precision, recall}], strongest first
);

CREATE TABLE templates (
    fingerprint VARCHAR PRIMARY KEY,
    task_id     VARCHAR NOT NULL,
    parts       JSON NOT NULL,
    calls       BIGINT NOT NULL,
    first_call  TIMESTAMPTZ NOT NULL,
    last_call   TIMESTAMPTZ NOT NULL
);

CREATE TABLE call_tasks (
    call_id UUID NOT NULL,
    task_id VARCHAR NOT NULL
);

CREATE TABLE task_edits (
    task_id     VARCHAR PRIMARY KEY,                -- what a person said of a task; survives every new classify
    name        VARCHAR,
    merged_into VARCHAR,
    pin_tier    VARCHAR,
    pin_reason  VARCHAR
);

CREATE TABLE audits (
    audit_id   VARCHAR PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL,
    version    VARCHAR NOT NULL,
    seed       BIGINT NOT NULL,
    baseline   VARCHAR NOT NULL CHECK (baseline IN ('logged', 'replay')),
    tiers      VARCHAR[] NOT NULL,
    config     JSON NOT NULL,
    plan       JSON NOT NULL,                       -- the tasks under test with spend and margin, fixed before the first replay
    status     VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'budget', 'interrupted')),
    left_out   JSON NOT NULL DEFAULT '[]'           -- [{task_id, reason}] of the tasks that are not tested
);

CREATE TABLE cases (
    case_id  UUID NOT NULL,
    audit_id VARCHAR NOT NULL,
    task_id  VARCHAR NOT NULL,
    tier     VARCHAR NOT NULL,
    gate     VARCHAR NOT NULL CHECK (gate IN ('agreement', 'macro')),
    stage    INTEGER NOT NULL,
    draw     INTEGER NOT NULL,
    call_id  UUID NOT NULL,
    weight   DOUBLE NOT NULL
);

CREATE TABLE replies (
    request_key             VARCHAR NOT NULL,       -- sha256 of endpoint, model, request and trial: the same is never paid twice
    audit_id                VARCHAR NOT NULL,       -- the audit that paid for it
    created_at              TIMESTAMPTZ NOT NULL,
    endpoint                VARCHAR NOT NULL,
    model                   VARCHAR NOT NULL,
    served_model            VARCHAR,
    trial                   INTEGER NOT NULL,
    output                  JSON,
    input_tokens            BIGINT,
    cache_read_input_tokens BIGINT,
    output_tokens           BIGINT,
    reasoning_output_tokens BIGINT,
    cost_usd                DECIMAL(18, 9),
    latency_ms              DOUBLE NOT NULL,
    time_to_first_token_ms  DOUBLE,
    error_type              VARCHAR,
    error_message           VARCHAR,
    dropped                 VARCHAR[] NOT NULL      -- what of the logged request the target could not take
);

CREATE TABLE case_replies (
    case_id     UUID NOT NULL,
    role        VARCHAR NOT NULL CHECK (role IN ('incumbent', 'candidate')),
    trial       INTEGER NOT NULL,
    request_key VARCHAR NOT NULL
);

CREATE TABLE scores (
    audit_id VARCHAR NOT NULL,
    case_id  UUID NOT NULL,
    outcome  DOUBLE,                                -- what enters the evidence; NULL: excluded, see detail
    agreement DOUBLE,                               -- of the candidate with the incumbent, in [0, 1]
    self_agreement DOUBLE,                          -- of the incumbent with itself on this case
    scorer   VARCHAR NOT NULL,
    version  INTEGER NOT NULL,
    detail   VARCHAR NOT NULL
);

CREATE TABLE verdicts (
    audit_id       VARCHAR NOT NULL,
    task_id        VARCHAR NOT NULL,
    tier           VARCHAR NOT NULL,
    model          VARCHAR NOT NULL,
    verdict        VARCHAR NOT NULL
        CHECK (verdict IN ('proven', 'refuted', 'undecided', 'not_auditable', 'pinned')),
    n              INTEGER NOT NULL,
    agreement      DOUBLE,
    agreement_low  DOUBLE,
    agreement_high DOUBLE,
    self_agreement DOUBLE,
    margin         DOUBLE NOT NULL,
    e_value        DOUBLE NOT NULL,
    threshold      DOUBLE NOT NULL,
    scorer         VARCHAR NOT NULL,
    stage          INTEGER NOT NULL,
    errors         INTEGER NOT NULL,
    p_good         DOUBLE,
    reason         VARCHAR NOT NULL,
    PRIMARY KEY (audit_id, task_id, tier)
);

CREATE TABLE assignments (
    audit_id            VARCHAR NOT NULL,
    task_id             VARCHAR NOT NULL,
    tier                VARCHAR NOT NULL,
    model               VARCHAR NOT NULL,
    verdict             VARCHAR NOT NULL,
    reason              VARCHAR NOT NULL,
    cost_now_usd_month  DECIMAL(18, 9) NOT NULL,
    cost_then_usd_month DECIMAL(18, 9) NOT NULL,
    PRIMARY KEY (audit_id, task_id)
);

CREATE TABLE exports (
    exported_at TIMESTAMPTZ NOT NULL,
    audit_id    VARCHAR NOT NULL,
    router      VARCHAR NOT NULL,
    files       VARCHAR[] NOT NULL,
    checks      JSON NOT NULL
);

CREATE TABLE checks (
    checked_at TIMESTAMPTZ NOT NULL,
    audit_id   VARCHAR,
    status     VARCHAR NOT NULL CHECK (status IN ('ok', 'alarm')),
    window_from TIMESTAMPTZ NOT NULL,
    window_to   TIMESTAMPTZ NOT NULL,
    alarms     JSON NOT NULL
);
