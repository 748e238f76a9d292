-- stg_heart_rate_after_workouts: a person's heart rate about the end of each workout: the last seconds of it and two minutes.
--
-- grain:    user_id, local_date, device_id, workout_id, after_end_ms, sample_device_id, is_track
-- inputs:   workouts, stg_workout_track, stg_heart_rate_hours
-- build:    view
-- caution:  samples of the workout's own date alone; who ends over midnight has none

with

hours_of_ends as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        epoch_us(end_at) // 1000 as end_ms,
        unnest(list_distinct([
            (epoch_us(end_at) // 1000 - 30000) // 3600000,
            (epoch_us(end_at) // 1000 + 150000) // 3600000
        ])) as hour_number

    from workouts

),

hours as (

    select
        hours_of_ends.user_id,
        hours_of_ends.local_date,
        hours_of_ends.device_id,
        hours_of_ends.workout_id,
        hours_of_ends.end_ms,
        stg_heart_rate_hours.device_id as sample_device_id,
        stg_heart_rate_hours.is_regular,
        cast(stg_heart_rate_hours.period_ms as bigint) as period_ms,
        epoch_us(stg_heart_rate_hours.hour_at) // 1000 as hour_ms,
        stg_heart_rate_hours.offsets_ms,
        stg_heart_rate_hours.rates_bpm

    from hours_of_ends
    inner join stg_heart_rate_hours
        on hours_of_ends.user_id = stg_heart_rate_hours.user_id
        and hours_of_ends.local_date = stg_heart_rate_hours.local_date
        and hours_of_ends.hour_number = epoch_us(stg_heart_rate_hours.hour_at) // 3600000000

),

timed_samples as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        end_ms,
        sample_device_id,
        hour_ms,
        period_ms,
        case when is_regular then offsets_ms[1] end as first_offset_ms,
        unnest(case when is_regular then cast([] as integer[]) else offsets_ms end) as offset_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as heart_rate_bpm

    from hours

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        workout_id,
        sample_device_id,
        false as is_track,
        period_ms,
        hour_ms + coalesce(offset_ms, first_offset_ms + sample_index * period_ms) - end_ms as after_end_ms,
        heart_rate_bpm

    from timed_samples

    union all

    select
        stg_workout_track.user_id,
        stg_workout_track.local_date,
        stg_workout_track.device_id,
        stg_workout_track.workout_id,
        stg_workout_track.device_id as sample_device_id,
        true as is_track,
        cast(stg_workout_track.period_ms as bigint) as period_ms,
        stg_workout_track.measured_us // 1000 - epoch_us(workouts.end_at) // 1000 as after_end_ms,
        stg_workout_track.value as heart_rate_bpm

    from stg_workout_track
    inner join workouts
        on stg_workout_track.user_id = workouts.user_id
        and stg_workout_track.local_date = workouts.local_date
        and stg_workout_track.device_id = workouts.device_id
        and stg_workout_track.workout_id = workouts.workout_id

    where stg_workout_track.metric = 'heart_rate'

),

near_ends as (

    select *

    from samples

    where after_end_ms between -30000 and 150000

),

-- A period says how far a sample is from the next; a spot value is as far from others as the nearest of its series.
spaced as (

    select
        *,
        case
            when period_ms > 0 then period_ms
            else least(
                after_end_ms - lag(after_end_ms) over (
                    partition by user_id, local_date, device_id, workout_id, sample_device_id, is_track, period_ms
                    order by after_end_ms, heart_rate_bpm
                ),
                lead(after_end_ms) over (
                    partition by user_id, local_date, device_id, workout_id, sample_device_id, is_track, period_ms
                    order by after_end_ms, heart_rate_bpm
                ) - after_end_ms
            )
        end as spacing_ms

    from near_ends

),

-- Of samples at one moment the finest has the word, and of these the lowest.
ranked as (

    select
        *,
        row_number() over (
            partition by user_id, local_date, device_id, workout_id, after_end_ms, sample_device_id, is_track
            order by spacing_ms nulls last, heart_rate_bpm
        ) as place

    from spaced

),

moments as (

    select
        user_id,            -- person
        local_date,         -- the person's date at the start of the workout
        device_id,          -- device or app that recorded the workout
        workout_id,         -- the device's name of it
        after_end_ms,       -- ms after the end of the workout, negative before it
        sample_device_id,   -- device that measured the sample
        is_track,           -- of the workout's track
        spacing_ms,         -- ms that its series has between samples, of spot values to the nearest; null = there is no other
        heart_rate_bpm      -- beats/min, of the finest series at that moment

    from ranked

    where place = 1

)

select * from moments
