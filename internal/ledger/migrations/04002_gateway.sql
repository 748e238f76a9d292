-- The gateway: which batches it has put into Kafka, and where they lie there. And which dead letters were sent again.

-- +goose Up
create table gateway_receipts (
    key_sha256 blob primary key,        -- of user id and batch id: the ledger has neither
    content_sha256 blob not null,       -- of what the batch says, without the time it was sent
    source text not null,               -- cluster and topic
    partition integer not null,
    offset integer not null,
    received_at_ms integer not null
) without rowid;

create index gateway_receipts_by_age on gateway_receipts (received_at_ms);

create table dead_letter_requeues (
    payload_sha256 blob primary key,    -- of the message: sent again and set aside again, it is still the same
    requeued_at_ms integer not null
) without rowid;

-- +goose Down
drop table dead_letter_requeues;
drop table gateway_receipts;
