-- Silver from bronze: pieces of hours become hours. A piece that was sent again with the same times is settled as a
-- whole; only hours in which pieces still overlap are settled sample by sample.
copy (
    with

    pieces as (

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
            offsets_ms,
            values,
            offsets_ms[1] as first_ms,
            case
                when len(offsets_ms) = 1 then offsets_ms[1] + (len(values) - 1) * period_ms
                else offsets_ms[-1]
            end as last_ms,
            struct_pack(
                device_epoch := device_epoch, seq := seq, broker_at := broker_at, "partition" := "partition", "offset" := "offset"
            ) as revision

        from read_parquet({{bronze}})

        where kind = 'series'

    ),

    latest as (

        select *

        from pieces

        qualify row_number() over (
            partition by user_id, metric, device_id, hour_at, offsets_ms, len(values)
            order by revision desc
        ) = 1

    ),

    placed as (

        select
            *,
            coalesce(
                first_ms <= max(last_ms) over (
                    partition by user_id, metric, device_id, hour_at
                    order by first_ms
                    rows between unbounded preceding and 1 preceding
                ),
                false
            ) as is_overlapping

        from latest

    ),

    disputed as (

        select distinct
            user_id,
            metric,
            device_id,
            hour_at

        from placed

        where is_overlapping

    ),

    settled_pieces as (

        select
            user_id, user_bucket, metric, device_id, hour_at, local_date, utc_offset_min, period_ms, source,
            first_ms, last_ms, offsets_ms, values, revision

        from placed

        anti join disputed using (user_id, metric, device_id, hour_at)

    ),

    samples as (

        select
            placed.* exclude (offsets_ms, values),
            unnest(values) as value,
            unnest(case
                when len(offsets_ms) = 1 then list_transform(range(len(values)), lambda i: offsets_ms[1] + i * period_ms)
                else offsets_ms
            end)::integer as offset_ms

        from placed

        semi join disputed using (user_id, metric, device_id, hour_at)

    ),

    settled_samples as (

        select
            user_id, user_bucket, metric, device_id, hour_at, local_date, utc_offset_min, period_ms, source,
            offset_ms as first_ms, offset_ms as last_ms, [offset_ms] as offsets_ms, [value] as values, revision

        from samples

        qualify row_number() over (
            partition by user_id, metric, device_id, hour_at, offset_ms
            order by revision desc
        ) = 1

    ),

    settled as (

        select * from settled_pieces
        union all
        select * from settled_samples

    ),

    hours as (

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
            min(first_ms) as first_ms,
            max(last_ms) as last_ms,
            flatten(list(values order by first_ms)) as values,
            flatten(list(
                case
                    when len(offsets_ms) = 1 and len(values) > 1
                        then list_transform(range(len(values)), lambda i: (offsets_ms[1] + i * period_ms)::integer)
                    else offsets_ms
                end
                order by first_ms
            )) as all_offsets_ms,
            list(struct_pack(
                count := len(values)::integer, device_epoch := revision.device_epoch, seq := revision.seq,
                broker_at := revision.broker_at, "partition" := revision."partition", "offset" := revision."offset"
            ) order by first_ms) as revisions

        from settled

        group by all

    )

    select
        user_id,
        user_bucket,
        metric,
        device_id,
        hour_at,
        (year(local_date) * 100 + month(local_date))::integer as local_month,
        local_date,
        utc_offset_min,
        period_ms,
        source,
        case
            when period_ms > 0 and last_ms - first_ms = (len(values) - 1) * period_ms then all_offsets_ms[1:1]
            else all_offsets_ms
        end as offsets_ms,
        values,
        revisions

    from hours

    order by user_id, metric, hour_at, local_date
) to {{out}} (format parquet, compression zstd, compression_level 1, parquet_version v2)
