-- The checks of the heartbeat: when each was handed to an executor and when it ran, and what it found.

-- +goose Up
create table checks (
    name       text primary key,
    kind       text not null,
    offered_at timestamptz,
    ran_at     timestamptz,           -- on Salve's clock
    doc        json                   -- null until it has run
);

-- +goose Down
drop table checks;
