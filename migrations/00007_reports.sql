-- Reports read the record, and incidents, by time and by cause.

-- +goose Up
create index audit_at on audit using brin (at);
create index incidents_cause on incidents (cause, id);

-- +goose Down
drop index incidents_cause;
drop index audit_at;
