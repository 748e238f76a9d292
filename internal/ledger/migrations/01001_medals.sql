-- Medals: what was awarded, and everything that was said of it since. Entries are never changed; the last one of an award
-- says how it stands.

-- +goose Up
create table medal_entries (
    award_id text not null,       -- the same for the same feat, for ever
    seq integer not null check (seq > 0),
    user_id text not null,
    medal text not null,
    level integer not null,
    period text not null,         -- of medals that can be earned again; else empty
    rule_version integer not null,
    action text not null check (action in ('award', 'amend', 'revoke', 'restore')),
    reason text not null check (
        action = 'revoke' and reason in ('evidence_erased', 'evidence_corrected') or action <> 'revoke' and reason = ''
    ),
    earned_on text not null,      -- local date of the evidence
    evidence text not null,       -- JSON
    recorded_at text not null,    -- RFC 3339, UTC
    primary key (award_id, seq),
    check ((action = 'award') = (seq = 1))
) without rowid;

create index medal_entries_by_user on medal_entries (user_id);

-- Ids of erased people, as SHA-256, so that an evaluation that began before cannot bring anything of them back.
create table medal_erasures (
    user_sha256 blob primary key
) without rowid;

-- Filled only within the transaction that erases a person.
create table medal_erasing (
    user_id text primary key
) without rowid;

-- +goose StatementBegin
create trigger medal_entries_stay before update on medal_entries
begin
    select raise(abort, 'medal entries are append-only');
end;
-- +goose StatementEnd

-- +goose StatementBegin
create trigger medal_entries_are_kept before delete on medal_entries
when not exists (select 1 from medal_erasing where user_id = old.user_id)
begin
    select raise(abort, 'medal entries are append-only');
end;
-- +goose StatementEnd

-- +goose Down
drop table medal_entries;
drop table medal_erasing;
drop table medal_erasures;
