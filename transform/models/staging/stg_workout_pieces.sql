-- stg_workout_pieces: what was recorded of each workout as lists: the pieces of its track, and the person's heart rate by
-- the minute, which counts where the track has none.
--
-- grain:    user_id, device_id, workout_id, metric, piece_index
-- inputs:   silver.workout_points, silver.workouts, stg_workouts, stg_day_samples
-- build:    view
-- caution:  latitude and longitude are here: only what is made of them may go into a table

with

track as (

    select
        points.user_id,
        points.local_date,
        points.device_id,
        points.workout_id,
        points.metric,
        points.piece_index,
        epoch_us(points.hour_at) as from_us,
        points.period_ms,
        points.offsets_ms,
        points."values"

    from silver.workout_points as points
    inner join silver.workouts as versions
        on points.user_id = versions.user_id
        and points.device_id = versions.device_id
        and points.workout_id = versions.workout_id
        and points.local_date = versions.local_date
        and points.revision is not distinct from versions.revision

    where points.piece_index > 0 and not coalesce(versions.is_deleted, false)

),

-- A workout may go on after midnight: its minutes lie on its date or the next.
dates as (

    select
        *,
        local_date as minute_date

    from stg_workouts

    union all

    select
        *,
        local_date + 1 as minute_date

    from stg_workouts

    where ended_us - started_us > 0

),

-- A negative number stands for so many minutes more, one after the other.
minutes_of_dates as (

    select
        dates.user_id,
        dates.local_date,
        dates.device_id,
        dates.workout_id,
        dates.started_us,
        dates.ended_us,
        flatten(list_transform(
            range(1, len(stg_day_samples.heart_rate_minutes) + 1),
            lambda i: case
                when stg_day_samples.heart_rate_minutes[i] >= 0 then [stg_day_samples.heart_rate_minutes[i]]
                else range(stg_day_samples.heart_rate_minutes[i - 1] + 1, stg_day_samples.heart_rate_minutes[i - 1] + 1 - stg_day_samples.heart_rate_minutes[i])
            end
        )) as minute_numbers,
        stg_day_samples.heart_rate_sums_bpm,
        stg_day_samples.heart_rate_sample_counts

    from stg_day_samples
    inner join dates
        on stg_day_samples.user_id = dates.user_id
        and stg_day_samples.local_date = dates.minute_date

    where stg_day_samples.heart_rate_minutes is not null

),

-- Where in the lists the workout can be: minutes only grow, so that no place lies further from the first, or from the last,
-- than its minute does.
places as (

    select
        *,
        greatest(1, len(minute_numbers) - (minute_numbers[-1] - started_us // 60000000)) as first_place,
        least(len(minute_numbers), (ended_us - 1) // 60000000 - minute_numbers[1] + 1) as last_place

    from minutes_of_dates

),

measured_minutes as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        started_us,
        ended_us,
        unnest(minute_numbers[first_place:last_place]) as minute_number,
        unnest(heart_rate_sums_bpm[first_place:last_place]) as heart_rate_sum_bpm,
        unnest(heart_rate_sample_counts[first_place:last_place]) as sample_count

    from places

    where first_place <= last_place

),

minutes as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        list((minute_number - started_us // 60000000) * 60000 order by minute_number) as at_ms,
        list(
            (heart_rate_sum_bpm + coalesce(sample_count, 1) // 2) // coalesce(sample_count, 1) order by minute_number
        ) as bpm,
        min(started_us // 60000000) * 60000000 as from_us

    from measured_minutes

    where
        minute_number >= started_us // 60000000
        and cast(minute_number as bigint) * 60000000 < ended_us

    group by user_id, local_date, device_id, workout_id

),

pieces as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        metric,
        piece_index,
        from_us,
        period_ms,
        offsets_ms,
        "values" as sample_values

    from track

    union all

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        'heart_rate_by_minute' as metric,
        0 as piece_index,
        from_us,
        60000 as period_ms,
        cast(at_ms as integer[]) as offsets_ms,
        cast(bpm as integer[]) as sample_values

    from minutes

),

columns_of_pieces as (

    select
        user_id,            -- person
        local_date,         -- the person's date at the start of the workout
        device_id,          -- device or app that recorded it
        workout_id,         -- the device's name of the workout
        metric,             -- name in the metrics table, or heart_rate_by_minute: of the person, from whatever device
        piece_index,        -- of the piece in its track; 0 = it is not of the track
        from_us,            -- us since 1970-01-01 UTC, what the offsets are counted from
        period_ms,          -- ms that a sample covers from its start; 0 = a spot value
        offsets_ms,         -- ms, where the samples lie; only the first where they follow each other one period apart
        sample_values       -- in the metric's unit

    from pieces

)

select * from columns_of_pieces
