-- Tokens that stand for one request are used once, whichever replica they reach.

-- +goose Up
create table used_tokens (
  jti        text primary key,
  expires_at timestamptz not null
);
create index used_tokens_expiry on used_tokens (expires_at);

-- +goose Down
drop table used_tokens;
