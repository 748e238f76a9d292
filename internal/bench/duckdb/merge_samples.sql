-- Silver from bronze, sample by sample: the latest revision of each wins, and what is left becomes hours.
copy (
    with

    samples as (

        select
            user_id,
            user_bucket,
            metric,
            device_id,
            hour_at,
            local_date,
            utc_offset_min,
            period_ms,
            source,
            unnest(values) as value,
            unnest(case
                when len(offsets_ms) = 1 then list_transform(range(len(values)), lambda i: offsets_ms[1] + i * period_ms)
                else offsets_ms
            end)::integer as offset_ms,
            struct_pack(
                device_epoch := device_epoch, seq := seq, broker_at := broker_at, "partition" := "partition", "offset" := "offset"
            ) as revision

        from read_parquet({{bronze}})

        where kind = 'series'

    ),

    latest as (

        select
            user_id,
            user_bucket,
            metric,
            device_id,
            hour_at,
            offset_ms,
            max_by(
                struct_pack(
                    local_date := local_date, utc_offset_min := utc_offset_min, period_ms := period_ms,
                    source := source, value := value, revision := revision
                ),
                revision
            ) as won

        from samples

        group by all

    )

    select
        user_id,
        user_bucket,
        metric,
        device_id,
        hour_at,
        (year(won.local_date) * 100 + month(won.local_date))::integer as local_month,
        won.local_date as local_date,
        won.utc_offset_min as utc_offset_min,
        won.period_ms as period_ms,
        won.source as source,
        list(offset_ms order by offset_ms) as offsets_ms,
        list(won.value order by offset_ms) as values,
        list(won.revision order by offset_ms) as revisions

    from latest

    group by all

    order by user_id, metric, hour_at, local_date
) to {{out}} (format parquet, compression zstd, compression_level 1, parquet_version v2)
