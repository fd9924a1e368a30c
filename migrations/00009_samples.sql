-- What was measured of hosts, workloads and services over time, and the tasks that look at it.

-- +goose Up
create table series (
    id       bigint generated always as identity primary key,
    target   text not null,           -- canonical JSON
    source   text not null,           -- who measured: checks, usage, monitoring
    subject  text not null,           -- who sent it: nobody's samples speak for another's
    metric   text not null,
    about    text not null,           -- a mount; may be empty
    last_at  timestamptz not null,
    unique (target, source, subject, metric, about)
);
create index series_age on series (last_at);
create index series_subject on series (subject);

-- As measured; kept for about two weeks. Partitions are weeks.
create table samples (
    series_id  bigint not null,
    at         timestamptz not null,
    value      double precision not null,
    primary key (series_id, at)
) partition by range (at);

-- The same by the hour; kept for about a year. Partitions are months.
create table samples_hourly (
    series_id  bigint not null,
    hour       timestamptz not null,
    n          bigint not null,
    total      double precision not null,
    lowest     double precision not null,
    highest    double precision not null,
    primary key (series_id, hour)
) partition by range (hour);

-- Scheduled tasks: one row a task and period.
create table task_runs (
    task        text not null,
    period      timestamptz not null,  -- when it began
    started_at  timestamptz not null,
    ended_at    timestamptz,           -- null: under way, or its replica is gone
    succeeded   boolean,
    run_by      text not null,
    summary     text not null,
    primary key (task, period)
);

-- A check may be wanted before its time.
alter table checks add column wanted_at timestamptz;

-- +goose Down
alter table checks drop column wanted_at;
drop table task_runs, samples_hourly, samples, series;
