-- Reports: which are to be made, what was said in each, and how each reaches its reader.

-- +goose Up

-- One row per person and period that has a report to expect.
create table report_periods (
    user_id text not null,
    kind text not null,                -- week, month or year
    period text not null,              -- 2016-W16, 2016-04 or 2016
    first_date text not null,
    last_date text not null,
    state text not null,               -- waiting, made or withheld
    reason text not null default '',   -- of withheld
    is_full integer not null default 0, -- of made: enough was measured
    look_at integer not null,          -- Unix seconds: not before then is there anything to do
    is_asked integer not null default 0, -- somebody asked for it: it does not lapse
    claimed_until integer not null default 0,
    attempts integer not null default 0,
    changed_at integer,                -- data of the period came after the report was made
    primary key (user_id, kind, period)
) without rowid;

create index report_periods_by_look on report_periods (state, look_at);
create index report_periods_changed on report_periods (changed_at) where changed_at is not null;

-- The last period of each kind that has been planned for a person.
create table report_plans (
    user_id text not null,
    kind text not null,
    period text not null,
    primary key (user_id, kind)
) without rowid;

-- What a report says, frozen. A correction is a new revision.
create table report_snapshots (
    user_id text not null,
    kind text not null,
    period text not null,
    revision integer not null,
    language text not null,
    made_at integer not null,
    content_hash text not null,        -- of what it says, without the time it was asked
    snapshot blob not null,
    primary key (user_id, kind, period, revision)
) without rowid;

-- +goose StatementBegin
create trigger report_snapshots_are_frozen before update on report_snapshots
begin
    select raise(abort, 'a report that was made does not change');
end;
-- +goose StatementEnd

-- What is to be handed over, once per key.
create table report_outbox (
    user_id text not null,
    kind text not null,
    period text not null,
    revision integer not null,
    channel text not null,
    state text not null,               -- queued, delivered or withdrawn
    is_announced integer not null,     -- the reader is told of it; otherwise it only replaces what lies there
    queued_at integer not null,
    attempts integer not null default 0,
    try_at integer not null,
    done_at integer,
    primary key (user_id, kind, period, revision, channel)
) without rowid;

create index report_outbox_queue on report_outbox (state, try_at);

-- +goose Down
drop table report_outbox;
drop table report_snapshots;
drop table report_plans;
drop table report_periods;
