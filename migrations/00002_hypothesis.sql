-- What an alert's name suggests before anything is looked at: a cause, where more than the family is known.

-- +goose Up
alter table incidents add column hypothesis text not null default '';

-- +goose Down
alter table incidents drop column hypothesis;
