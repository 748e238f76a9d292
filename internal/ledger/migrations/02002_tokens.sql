-- Tokens of the HTTP API: who may call it and for what. Those of the rankings, which were the first, become some of them.

-- +goose Up
create table tokens (
    name text primary key,
    sha256 blob not null unique,
    scopes text not null,              -- joined by spaces: rankings:read sync:write
    user_id text not null default '',  -- the one person it is bound to; empty = a back end that speaks for all its people
    created_at_ms integer not null
);

insert into tokens (name, sha256, scopes, created_at_ms)
select name, sha256, 'rankings:read', created_at_ms from ranking_tokens;

drop table ranking_tokens;

-- +goose Down
create table ranking_tokens (
    name text primary key,
    sha256 blob not null unique,
    created_at_ms integer not null
);

insert into ranking_tokens (name, sha256, created_at_ms)
select name, sha256, created_at_ms from tokens where instr(scopes, 'rankings:read') > 0;

drop table tokens;
