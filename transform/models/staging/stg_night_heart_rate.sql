-- stg_night_heart_rate: the minutes of heart rate in a person's main sleep, from the hours that overlap it alone.
--
-- grain:    user_id, night_date, minute_number
-- inputs:   stg_heart_rate_hours, stg_device_minutes, sleep_nights
-- build:    view
-- caution:  the minute in which sleep begins counts whole; a sleep that begins more than two dates before its end is cut

with

nights as (

    select
        user_id,
        night_date,
        epoch_us(sleep_onset_at) // 60000000 as first_minute,
        epoch_us(sleep_offset_at) // 60000000 as end_minute

    from sleep_nights

    where sleep_onset_at is not null

),

-- The dates a night may lie on, one by one: joined by equal dates, a person's nights do not meet all of the hours.
dates_of_nights as (

    select
        *,
        night_date - cast(unnest([0, 1, 2]) as integer) as local_date

    from nights

),

hours as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        dates_of_nights.local_date,
        dates_of_nights.first_minute,
        dates_of_nights.end_minute,
        stg_heart_rate_hours.device_id,
        stg_heart_rate_hours.is_shared,
        stg_heart_rate_hours.is_by_minute,
        stg_heart_rate_hours.is_regular,
        stg_heart_rate_hours.period_ms,
        epoch_us(stg_heart_rate_hours.hour_at) // 1000 as hour_ms,
        stg_heart_rate_hours.offsets_ms,
        stg_heart_rate_hours.rates_bpm

    from dates_of_nights
    inner join stg_heart_rate_hours
        on dates_of_nights.user_id = stg_heart_rate_hours.user_id
        and dates_of_nights.local_date = stg_heart_rate_hours.local_date
        and epoch_us(stg_heart_rate_hours.hour_at) // 60000000 + 60 > dates_of_nights.first_minute
        and epoch_us(stg_heart_rate_hours.hour_at) // 60000000 < dates_of_nights.end_minute

),

regular_samples as (

    select
        user_id,
        night_date,
        local_date,
        first_minute,
        end_minute,
        device_id,
        is_shared,
        is_by_minute,
        hour_ms + offsets_ms[1] as first_ms,
        cast(period_ms as bigint) as period_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as bpm

    from hours

    where is_regular

),

scattered_samples as (

    select
        user_id,
        night_date,
        local_date,
        first_minute,
        end_minute,
        device_id,
        is_shared,
        is_by_minute,
        hour_ms,
        unnest(offsets_ms) as offset_ms,
        unnest(rates_bpm) as bpm

    from hours

    where not is_regular

),

samples as (

    select
        user_id,
        night_date,
        local_date,
        first_minute,
        end_minute,
        device_id,
        is_shared,
        is_by_minute,
        (first_ms + sample_index * period_ms) // 60000 as minute_number,
        bpm

    from regular_samples

    union all

    select
        user_id,
        night_date,
        local_date,
        first_minute,
        end_minute,
        device_id,
        is_shared,
        is_by_minute,
        (hour_ms + offset_ms) // 60000 as minute_number,
        bpm

    from scattered_samples

),

samples_asleep as (

    select *

    from samples

    where
        minute_number >= first_minute
        and minute_number < end_minute

),

samples_to_sum as (

    select
        user_id,
        night_date,
        minute_number,
        bpm

    from samples_asleep

    where not is_shared and not is_by_minute

    union all

    select
        samples_asleep.user_id,
        samples_asleep.night_date,
        samples_asleep.minute_number,
        samples_asleep.bpm

    from samples_asleep
    inner join stg_device_minutes
        on samples_asleep.user_id = stg_device_minutes.user_id
        and samples_asleep.local_date = stg_device_minutes.local_date
        and samples_asleep.device_id = stg_device_minutes.device_id
        and samples_asleep.minute_number = stg_device_minutes.minute_number

    where
        samples_asleep.is_shared
        and stg_device_minutes.metric = 'heart_rate'

),

all_minutes as (

    select
        user_id,
        night_date,
        minute_number,
        cast(bpm as bigint) as heart_rate_sum_bpm,
        cast(1 as bigint) as sample_count

    from samples_asleep

    where is_by_minute

    union all

    select
        user_id,
        night_date,
        minute_number,
        cast(sum(bpm) as bigint) as heart_rate_sum_bpm,
        cast(count(*) as bigint) as sample_count

    from samples_to_sum

    group by user_id, night_date, minute_number

),

minutes as (

    select
        user_id,            -- person
        night_date,         -- the person's date of waking
        minute_number,      -- minutes since 1970-01-01 UTC
        heart_rate_sum_bpm, -- beats/min, sum over the minute's valid samples: divided by sample_count, their mean
        sample_count        -- valid samples in the minute

    from all_minutes

)

select * from minutes
