-- What merging bronze into an empty silver.series_hours does, in one statement of DuckDB: the peer that the merge is
-- measured against. {{bronze}} is a list of files of sync_records, {{out}} the file to write.
--
-- It works on whole lists where that is enough: parts that say the same instants are settled by their revision alone,
-- and an hour whose parts do not overlap is their lists one after the other. Only what is left is taken apart into
-- samples and put together again. (Taking every hour apart is several times slower.)
copy (
    with pieces as (
        select
            user_id, user_bucket, metric, device_id, hour_at,
            {d: local_date, o: utc_offset_min, p: period_ms, s: source} as cut,
            {e: device_epoch, s: seq, b: broker_at, p: "partition", o: "offset"} as revision,
            item_index, offsets_ms, "values",
            offsets_ms[1] as first_ms,
            if(len(offsets_ms) = 1, offsets_ms[1] + (len("values") - 1) * period_ms, offsets_ms[-1]) as last_ms
        from read_parquet({{bronze}}, hive_partitioning = false)
        where kind = 'series'
    ),

    -- Of parts that say the same instants the newest.
    newest as (
        select
            user_id, any_value(user_bucket) as user_bucket, metric, device_id, hour_at, cut, offsets_ms, first_ms, last_ms,
            arg_max("values", {r: revision, i: item_index}) as "values",
            max(revision) as revision
        from pieces
        group by user_id, metric, device_id, hour_at, cut, offsets_ms, first_ms, last_ms
    ),

    hours as (
        select
            user_id, any_value(user_bucket) as user_bucket, metric, device_id, hour_at,
            any_value(cut) as cut,
            min(cut) = max(cut) as is_one_row,
            list({f: first_ms, l: last_ms, o: offsets_ms, v: "values", r: revision} order by first_ms) as parts
        from newest
        group by user_id, metric, device_id, hour_at
    ),

    judged as (
        select
            *,
            is_one_row and len(list_filter(range(2, len(parts) + 1), lambda i: parts[i].f <= parts[i - 1].l)) = 0 as is_simple
        from hours
    ),

    simple as (
        select
            user_id, user_bucket, metric, device_id, hour_at, cut,
            if(
                len(parts) = 1,
                parts[1].o,
                flatten(list_transform(parts, lambda p: if(
                    len(p.o) = 1 and cut.p > 0,
                    list_transform(range(len(p.v)), lambda i: (p.f + i * cut.p)::integer),
                    p.o
                )))
            ) as at_ms,
            flatten(list_transform(parts, lambda p: p.v)) as "values",
            list_transform(parts, lambda p: {
                'count': len(p.v)::integer, 'device_epoch': p.r.e, 'seq': p.r.s, 'broker_at': p.r.b, 'partition': p.r.p, 'offset': p.r.o
            }) as revisions
        from judged
        where is_simple
    ),

    samples as (
        select
            j.user_id, j.user_bucket, j.metric, j.device_id, j.hour_at, n.cut, n.revision, n.offsets_ms,
            unnest(n."values") as value, unnest(range(len(n."values"))) as i
        from judged j
        join newest n using (user_id, metric, device_id, hour_at)
        where not j.is_simple
    ),

    placed as (
        select
            *,
            if(len(offsets_ms) = 1 and cut.p > 0, offsets_ms[1] + i * cut.p, offsets_ms[i + 1])::integer as at_ms
        from samples
    ),

    winners as (
        select
            user_id, any_value(user_bucket) as user_bucket, metric, device_id, hour_at, at_ms,
            max(revision) as revision,
            arg_max({c: cut, v: value}, revision) as won
        from placed
        group by user_id, metric, device_id, hour_at, at_ms
    ),

    run_starts as (
        select
            *,
            lag(revision) over by_row is distinct from revision as starts_run
        from winners
        window by_row as (partition by user_id, metric, device_id, hour_at, won.c order by at_ms)
    ),

    numbered as (
        select
            *,
            sum(starts_run::integer) over (partition by user_id, metric, device_id, hour_at, won.c order by at_ms) as run
        from run_starts
    ),

    runs as (
        select
            user_id, any_value(user_bucket) as user_bucket, metric, device_id, hour_at, won.c as cut, run,
            list(at_ms order by at_ms) as at_ms,
            list(won.v order by at_ms) as "values",
            any_value(revision) as revision
        from numbered
        group by user_id, metric, device_id, hour_at, won.c, run
    ),

    entangled as (
        select
            user_id, any_value(user_bucket) as user_bucket, metric, device_id, hour_at, cut,
            flatten(list(at_ms order by run)) as at_ms,
            flatten(list("values" order by run)) as "values",
            list({
                'count': len("values")::integer, 'device_epoch': revision.e, 'seq': revision.s, 'broker_at': revision.b,
                'partition': revision.p, 'offset': revision.o
            } order by run) as revisions
        from runs
        group by user_id, metric, device_id, hour_at, cut
    ),

    settled as (
        from simple
        union all
        from entangled
    )

    select
        user_id, user_bucket, metric, device_id, hour_at,
        (year(cut.d) * 100 + month(cut.d))::integer as local_month,
        cut.d as local_date, cut.o as utc_offset_min, cut.p as period_ms, cut.s as source,
        -- Samples that follow each other at the period keep one offset.
        if(
            cut.p > 0 and at_ms[-1] - at_ms[1] = (len(at_ms) - 1) * cut.p
            and len(list_filter(range(2, len(at_ms) + 1), lambda i: at_ms[i] - at_ms[i - 1] <> cut.p)) = 0,
            at_ms[1:1], at_ms
        ) as offsets_ms,
        "values", revisions
    from settled
    order by user_id, metric, hour_at, device_id, local_date, utc_offset_min, period_ms, source
) to '{{out}}' (format parquet, parquet_version v2, compression zstd, compression_level 1, row_group_size 16384)
