-- When an intent was last offered to an executor: the heartbeat leaves out what was offered just now.

-- +goose Up
alter table intents add column offered_at timestamptz;

-- +goose Down
alter table intents drop column offered_at;
