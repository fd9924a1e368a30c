-- What monitoring said of each service, window by window: by them an objective is missed or kept long enough to count.

-- +goose Up
create table monitoring_windows (
    cluster   text not null,
    service   text not null,
    subject   text not null,          -- who sent it: nobody's windows speak for another's
    ended_at  timestamptz not null,
    doc       json not null,
    primary key (cluster, service, subject, ended_at)
);

-- +goose Down
drop table monitoring_windows;
