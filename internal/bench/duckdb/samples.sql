-- One row per sample, with its time.
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
            user_id,
            device.id as device_id,
            seq,
            unnest(
                list_concat(
                    list_transform(coalesce(series, []), lambda s: {
                        'metric': s.metric, 'start': s.start, 'period_ms': s.period_ms, 'times_ms': s.times_ms,
                        'values': s.values
                    }),
                    list_transform(coalesce(rr_runs, []), lambda r: {
                        'metric': 'rr_interval', 'start': r.start, 'period_ms': 0, 'times_ms': null::integer[],
                        'values': r.intervals_ms
                    }),
                    flatten(list_transform(coalesce(workouts, []), lambda w: list_transform(w.track, lambda s: {
                        'metric': s.metric, 'start': s.start, 'period_ms': s.period_ms, 'times_ms': s.times_ms,
                        'values': s.values
                    })))
                )
            ) as part

        from messages

    ),

    samples as (

        select
            user_id,
            device_id,
            seq,
            part.metric,
            epoch_ms(part.start::timestamptz) as start_ms,
            part.period_ms,
            part.times_ms,
            unnest(part.values) as value,
            generate_subscripts(part.values, 1) as n

        from parts

    )

    select
        user_id,
        device_id,
        seq,
        metric,
        make_timestamp(1000 * (start_ms + coalesce(times_ms[n], (n - 1) * period_ms))) as measured_at,
        value

    from samples

    where value is not null
) to {{out}} (format parquet, compression zstd, compression_level 1, parquet_version v2, dictionary_size_limit 1)
