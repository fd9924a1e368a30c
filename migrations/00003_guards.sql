-- What guards read: what was done before, and how things stand.

-- +goose Up
-- +goose StatementBegin

-- One row a rung that was begun. Budgets, cooldown, breakers and what helps are read from it.
create table repairs (
    id           uuid primary key,
    incident_id  uuid not null,
    began_at     timestamptz not null,
    action       text not null,
    cause        text not null,
    target       text not null,    -- the top controller, host or service
    scope        text not null,    -- cluster/namespace, or hosts: where it is judged with others of its kind
    outcome      text not null check (outcome in ('','verified','ineffective','inconclusive','failed','skipped')),
    doc          json not null
) with (fillfactor = 90);
create index repairs_began on repairs (began_at);
create index repairs_target on repairs (target, action, cause, began_at desc);
create index repairs_incident on repairs (incident_id) where outcome = '';

-- Repairs that keep failing are stopped until a human resets it.
create table breakers (
    id         uuid primary key,
    scope      text not null,
    reason     text not null,
    opened_at  timestamptz not null,
    reset_at   timestamptz,
    reset_by   text not null default '',
    note       text not null default ''
);
create unique index breakers_open on breakers (scope) where reset_at is null;
create index breakers_reset on breakers (reset_at);

create table freezes (
    id        uuid primary key,
    doc       json not null,
    ended_at  timestamptz,      -- taken back, or over
    ended_by  text not null default ''
);
create index freezes_on on freezes (id) where ended_at is null;

-- Too many new incidents at once: one storm at a time.
create table storms (
    id        uuid primary key,
    began_at  timestamptz not null,
    last_at   timestamptz not null,    -- when there were last too many
    ended_at  timestamptz,
    told      text not null default '' check (told in ('','began','ended'))
);
create unique index storms_on on storms ((true)) where ended_at is null;
create index storms_untold on storms (id) where told <> 'ended';

-- Looks asked for while a storm lasts.
create table storm_collects (
    storm_id    uuid not null,
    hypothesis  text not null,
    cluster     text not null,
    n           int not null,
    primary key (storm_id, hypothesis, cluster)
);

-- Remedies that are done without a yes where policy asks for one, or might be.
create table promotions (
    id          uuid primary key,
    cause       text not null,
    action      text not null,
    scope       text not null,
    state       text not null check (state in ('proposed','promoted','rejected','demoted')),
    helped      int not null,
    failed      int not null,
    reason      text not null,
    at          timestamptz not null,    -- of this state
    decided_by  text not null default ''
);
create unique index promotions_live on promotions (cause, action, scope) where state in ('proposed','promoted');
create index promotions_of on promotions (cause, action, scope, at desc);

-- When each source of monitoring was last heard of.
create table sources (
    name     text primary key,
    seen_at  timestamptz not null
);

alter table incidents add column look_at timestamptz;    -- after a storm: when it is diagnosed anew
create index incidents_look on incidents (look_at) where look_at is not null;
create index incidents_opened on incidents (opened_at);

-- The full why and why not: rules in the order in which they were tried, and the facts.
alter table decisions add column record json;

alter table intents add column approvals json not null default '[]';
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
alter table intents drop column approvals;
alter table decisions drop column record;
drop index incidents_opened, incidents_look;
alter table incidents drop column look_at;
drop table sources, promotions, storm_collects, storms, freezes, breakers, repairs;
-- +goose StatementEnd
