-- Secrets of this installation that it makes itself and that must never change: what pseudonyms are made from.

-- +goose Up
create table secrets (
    name text primary key,
    value blob not null
);

-- +goose Down
drop table secrets;
