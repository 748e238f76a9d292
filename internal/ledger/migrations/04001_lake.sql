-- The lake: who still reads what was replaced, and the checksums of what has none in its name.

-- +goose Up

-- A reader that came at taken_at_ms may need every snapshot that was current then or later. A row nobody renews ends.
create table lake_leases (
    lease_id text primary key,
    owner text not null,               -- a role and a process, for people
    taken_at_ms bigint not null,
    expires_at_ms bigint not null
);

-- Of Iceberg's own files, whose names Iceberg chooses. A row is there before the catalog names its file.
create table lake_checksums (
    path text primary key,             -- below the lake's root
    sha256 text not null,
    bytes bigint not null
);

-- By partition, the offset below which everything that follows from a change has been done, for tables that these
-- models made.
create table lake_settled (
    lake_partition integer primary key,
    below_offset bigint not null,
    models_sha256 text not null
);

-- +goose Down
drop table lake_settled;
drop table lake_checksums;
drop table lake_leases;
