-- One row per part of a message, as it was sent: its values stay a list.
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

    )

    select
        batch_id,
        user_id,
        device_id,
        utc_offset,
        seq,
        sent_at,
        source,
        part.kind,
        part.name,
        part.metric,
        part.start::timestamptz as start_at,
        part.period_ms,
        part.times_ms,
        part.values

    from parts
) to {{out}} (format parquet, compression zstd, compression_level 1, parquet_version v2, row_group_size 20480)
