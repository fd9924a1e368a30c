-- The whole story of an incident, from first event to resolution.
-- Hot tables are narrow and carry few indexes: each one is paid for at 3 in the morning, in a storm.

-- +goose Up
-- +goose StatementBegin
create table incidents (
    id           uuid primary key,
    number       bigint generated always as identity unique,
    key          text not null,
    state        text not null check (state in
                     ('open','diagnosing','awaiting_approval','repairing','verifying','resolved','escalated')),
    severity     text not null check (severity in ('critical','high','warning','info')),
    target       json not null,
    family       text not null,
    cause        text not null,
    service      text not null,
    title        text not null,
    summary      text not null,
    resolution   text not null default '',
    opened_at    timestamptz not null,
    began_at     timestamptz not null,
    updated_at   timestamptz not null,
    resolved_at  timestamptz,
    merged_into  uuid,
    rounds       int not null,
    rung         int not null,
    recurrences  int not null,
    repeats      bigint not null default 0,
    dry_run      boolean not null,
    labels       json not null,
    verify_by    timestamptz,
    healthy_at   timestamptz
) with (fillfactor = 80);

-- One open incident a key.
create unique index incidents_open_key on incidents (key) where state <> 'resolved';
create index incidents_verifying on incidents (verify_by) where verify_by is not null;
-- What came back within policy's time is found by its key.
create index incidents_resolved_key on incidents (key, resolved_at desc) where state = 'resolved';

-- One episode of one alert. Its key is what makes a delivery idempotent.
create table alerts (
    episode      bytea primary key,
    incident_id  uuid,
    status       text not null check (status in ('firing','resolved')),
    name         text not null,
    source       text not null,
    subject      text not null,
    fingerprint  text not null,
    starts_at    timestamptz,
    ends_at      timestamptz
) with (fillfactor = 90);
create index alerts_incident on alerts (incident_id);

-- Everything that arrived, as it arrived (redacted). Retention drops partitions.
create table events (
    id           uuid not null,
    received_at  timestamptz not null,
    kind         text not null check (kind in ('alert','evidence','result')),
    source       text not null,
    subject      text not null,
    outcome      text not null check (outcome in ('accepted','duplicate','suppressed','rejected')),
    incident_id  uuid,
    intent_id    uuid,
    payload      json,
    evidence     json
) partition by range (received_at);
create index events_incident on events (incident_id, id);
create table events_default partition of events default;

-- What was found and what policy said about it, each time either changed.
create table decisions (
    id           uuid not null,
    incident_id  uuid not null,
    at           timestamptz not null,
    verdict      text not null,
    cause        text not null,
    policy       text not null,
    diagnosis    json not null,
    decision     json not null,
    wants        json,            -- what could be collected, where evidence is missing
    primary key (incident_id, id)
);

create table intents (
    id            uuid primary key,
    number        bigint generated always as identity unique,
    incident_id   uuid not null,   -- no foreign key: checking it costs a lock a row, and one transaction writes both
    action        text not null,
    effect        text not null check (effect in ('observe','tell','change')),
    mode          text not null check (mode in ('auto','hold','approve','dry_run')),
    state         text not null check (state in
                      ('waiting','awaiting_approval','rechecking','holding','blocked','ready','running',
                       'succeeded','failed','lost','aborted','rejected','expired','superseded','shown')),
    rung          int not null,
    attempt       int not null,
    created_at    timestamptz not null,
    not_before    timestamptz not null,
    expires_at    timestamptz not null,
    wake_at       timestamptz not null,   -- when time alone may have to move it
    plan_hash     text not null,
    doc           json not null,   -- the immutable members, as the API shows them
    plan          json not null,   -- what only Salve needs: execute, timeout, window, independent
    evidence_at   timestamptz,     -- when the trusted evidence it rests on was observed
    approved_by   text not null default '',
    claimed_by    text not null default '',
    worker        text not null default '',
    execution_id  text not null default '',
    lease_hash    bytea,
    lease_expires timestamptz
) with (fillfactor = 80);
create index intents_incident on intents (incident_id, id);
-- What the clock may have to move, and what executors ask for.
create index intents_live on intents (state, wake_at)
    where state in ('waiting','awaiting_approval','rechecking','holding','blocked','ready','running');
create index intents_execution on intents (execution_id) where state = 'running';

create table results (
    id           uuid not null,
    intent_id    uuid not null,
    incident_id  uuid not null,
    received_at  timestamptz not null,
    status       text not null check (status in ('succeeded','failed','skipped')),
    flag         text not null,     -- empty for the one that counts; late, contradicting
    doc          json not null,
    primary key (intent_id, id)
);
-- Exactly one result is terminal for an intent.
create unique index results_terminal on results (intent_id) where flag = '';
create index results_incident on results (incident_id, id);

-- Answers kept for an Idempotency-Key.
create table idempotency (
    caller      text not null,
    route       text not null,
    key         text not null,
    body_hash   bytea not null,
    answer      bytea not null,
    created_at  timestamptz not null,
    primary key (caller, route, key)
);
create index idempotency_age on idempotency (created_at);

create table policies (
    version       text primary key,
    source        text not null,
    activated_at  timestamptz not null,
    activated_by  text not null
);

-- The kill switch: one row.
create table automation (
    singleton boolean primary key default true check (singleton),
    mode     text not null check (mode in ('paused','dry_run','live')),
    reason   text not null,
    set_by   text not null,
    set_at   timestamptz not null
);

-- Append-only. The transaction id is taken before the sequence number, so that
-- once every transaction older than a snapshot has ended, no lower number can appear.
create table audit (
    tx           xid8 not null default pg_current_xact_id(),
    seq          bigint generated always as identity primary key,
    at           timestamptz not null,
    operation    text not null,
    actor        text not null,
    incident_id  uuid,
    intent_id    uuid,
    object       text not null,
    reason       text not null,
    detail       json
);
create index audit_incident on audit (incident_id, seq);

-- The chain over audit: one link a run of the sealer.
create table audit_seals (
    upto_seq   bigint primary key,
    rows       bigint not null,
    previous   bytea not null,
    hash       bytea not null,
    sealed_at  timestamptz not null
);

-- A write that must hit every row it names runs again on fresh facts when it does not.
create function must_be(n bigint, want bigint) returns bigint language plpgsql as $$
begin
    if n <> want then
        raise exception '% of % rows: the facts were stale', n, want using errcode = 'serialization_failure';
    end if;
    return n;
end $$;

create function refuse_rewrite() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse_rewrite();
create trigger audit_seals_append_only before update or delete or truncate on audit_seals
    for each statement execute function refuse_rewrite();
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
drop table audit_seals, audit, automation, policies, idempotency, results, intents, decisions, events, alerts, incidents;
drop function refuse_rewrite();
drop function must_be(bigint, bigint);
-- +goose StatementEnd
