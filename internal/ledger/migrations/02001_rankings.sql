-- Rankings: when each board was first seen, what was published of the closed ones, who takes part, and who may ask.

-- +goose Up
create table ranking_windows (
    board text not null,
    period text not null,
    seen_at_ms integer not null,  -- a board first seen after it closed has its grace from then
    primary key (board, period)
);

-- A board is published once it is frozen, and again when somebody on it has left. The entries of replaced revisions are
-- removed; their hashes stay.
create table ranking_publications (
    board text not null,
    period text not null,
    revision integer not null,
    reason text not null check (reason in ('frozen', 'withdrawn')),
    published_at_ms integer not null,
    entry_count integer not null,
    sha256 text not null,
    entries blob,
    primary key (board, period, revision)
);

-- Who took part when boards were last published, by public id: who is here and no longer in the lake's consents has left.
create table ranking_members (
    public_id text primary key
) without rowid;

create table ranking_tokens (
    name text primary key,
    sha256 blob not null unique,
    created_at_ms integer not null
);

-- +goose Down
drop table ranking_tokens;
drop table ranking_members;
drop table ranking_publications;
drop table ranking_windows;
