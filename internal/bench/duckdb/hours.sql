-- One row per hour of a part, as bronze has them: cut at UTC hours, what is missing left out, and times given for what
-- is left. (Local midnights within an hour do not cut, and no message of the mix has times of its own.)
copy (
    with

    messages as (

        select *

        from read_json(
            {{messages}},
            format = 'newline_delimited',
            maximum_object_size = 16777216,
            columns = {
                batch_id: 'varchar',
                user_id: 'varchar',
                device: 'struct(id varchar, model varchar, firmware varchar, kind varchar, epoch integer)',
                utc_offset: 'varchar',
                seq: 'bigint',
                sent_at: 'varchar',
                source: 'varchar',
                series: 'struct(metric varchar, start varchar, period_ms integer, times_ms integer[], "values" integer[])[]',
                rr_runs: 'struct(start varchar, intervals_ms integer[])[]',
                workouts: 'struct(id varchar, sport varchar, start varchar, "end" varchar, totals struct(metric varchar, "value" integer)[], track struct(metric varchar, start varchar, period_ms integer, times_ms integer[], "values" integer[])[])[]'
            }
        )

    ),

    parts as (

        select
            batch_id,
            user_id,
            device.id as device_id,
            utc_offset,
            case utc_offset[1] when '-' then -1 else 1 end
                * (utc_offset[2:3]::integer * 60 + utc_offset[5:6]::integer) as offset_min,
            seq,
            sent_at::timestamptz as sent_at,
            source,
            unnest(
                list_concat(
                    list_transform(coalesce(series, []), lambda s: {
                        'kind': 'series', 'name': null::varchar, 'metric': s.metric, 'start': s.start,
                        'period_ms': s.period_ms, 'times_ms': s.times_ms, 'values': s.values
                    }),
                    list_transform(coalesce(rr_runs, []), lambda r: {
                        'kind': 'rr_run', 'name': null::varchar, 'metric': null::varchar, 'start': r.start,
                        'period_ms': null::integer, 'times_ms': null::integer[], 'values': r.intervals_ms
                    }),
                    flatten(list_transform(coalesce(workouts, []), lambda w: list_transform(w.track, lambda s: {
                        'kind': 'workout_track', 'name': w.id, 'metric': s.metric, 'start': s.start,
                        'period_ms': s.period_ms, 'times_ms': s.times_ms, 'values': s.values
                    })))
                )
            ) as part

        from messages

    ),

    hours as (

        select
            * exclude (part),
            part.kind,
            part.name,
            part.metric,
            part.period_ms,
            part.values,
            epoch_ms(part.start::timestamptz) as start_ms,
            unnest(
                case
                    when part.period_ms is null then [start_ms // 3600000]
                    else range(
                        start_ms // 3600000, (start_ms + (len(part.values) - 1) * part.period_ms) // 3600000 + 1
                    )
                end
            ) * 3600000 as hour_ms

        from parts

    ),

    slices as (

        select
            * exclude (values),
            case
                when period_ms is null then 0
                else greatest(0, (hour_ms - start_ms + period_ms - 1) // period_ms)
            end as first,
            case
                when period_ms is null then values
                else values[first + 1 : (hour_ms + 3600000 - start_ms + period_ms - 1) // period_ms]
            end as slice

        from hours

    ),

    places as (

        select
            *,
            case
                when list_count(slice) < len(slice)
                    then list_filter(range(len(slice)), lambda i: slice[i + 1] is not null)
            end as present -- null = nothing is missing

        from slices

    )

    select
        batch_id,
        user_id,
        device_id,
        utc_offset,
        seq,
        sent_at,
        source,
        kind,
        name,
        metric,
        make_timestamp(1000 * (start_ms + (first + coalesce(present[1], 0)) * coalesce(period_ms, 0))) as start_at,
        make_timestamp(1000 * hour_ms) as hour_at,
        (make_timestamp(1000 * (hour_ms + 60000 * offset_min)))::date as local_date,
        period_ms,
        case
            when present is null then [(start_ms + first * coalesce(period_ms, 0) - hour_ms)::integer]
            when present[-1] - present[1] = len(present) - 1
                then [(start_ms + (first + present[1]) * period_ms - hour_ms)::integer]
            else list_transform(present, lambda i: (start_ms + (first + i) * period_ms - hour_ms)::integer)
        end as offsets_ms,
        case
            when present is null then slice
            else list_filter(slice, lambda v: v is not null)
        end as values

    from places
) to {{out}} (format parquet, compression zstd, compression_level 1, parquet_version v2)
