-- stg_night_epochs: a main sleep in epochs of 30 s with a motion count, and the heart rate of each when it was measured.
--
-- grain:    user_id, night_date, epoch_number
-- inputs:   silver.series_hours, sleep_periods
-- build:    view
-- caution:  heart rate is the mean of the samples that begin in the epoch; of several devices the one stands for the night that has most
--           motion counts in it, native before import, and both are its own

with

nights as (

    select
        user_id,
        night_date, -- The first whole epoch and the end of the last.
        (epoch_us(started_at) + 29999999) // 30000000 as first_epoch,
        epoch_us(ended_at) // 30000000 as end_epoch

    from sleep_periods

    where kind = 'main'

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
        dates_of_nights.first_epoch,
        dates_of_nights.end_epoch,
        series_hours.device_id,
        series_hours.metric,
        series_hours.source,
        series_hours.period_ms,
        epoch_us(series_hours.hour_at) // 1000 as hour_ms,
        series_hours.offsets_ms,
        series_hours.offsets_ms[1] as first_offset_ms,
        series_hours."values"

    from dates_of_nights
    inner join silver.series_hours as series_hours
        on dates_of_nights.user_id = series_hours.user_id
        and dates_of_nights.local_date = series_hours.local_date
        and epoch_us(series_hours.hour_at) // 30000000 + 120 > dates_of_nights.first_epoch
        and epoch_us(series_hours.hour_at) // 30000000 < dates_of_nights.end_epoch

    where series_hours.metric in ('heart_rate', 'motion_count')

),

devices as (

    select
        user_id,
        night_date,
        device_id,
        row_number() over (
            partition by user_id, night_date
            order by
                min(case source when 'native' then 1 when 'import' then 2 else 3 end),
                sum(len("values")) desc,
                device_id
        ) as preference

    from hours

    where metric = 'motion_count'

    group by user_id, night_date, device_id

),

samples as (

    select
        hours.user_id,
        hours.night_date,
        hours.first_epoch,
        hours.end_epoch,
        hours.metric,
        hours.period_ms,
        hours.hour_ms,
        hours.first_offset_ms,
        unnest(hours.offsets_ms) as own_offset_ms,
        generate_subscripts(hours."values", 1) - 1 as sample_index,
        unnest(hours."values") as value

    from hours
    inner join devices
        on hours.user_id = devices.user_id
        and hours.night_date = devices.night_date
        and hours.device_id = devices.device_id

    where devices.preference = 1

),

timed_samples as (

    select
        *,
        hour_ms + cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint) as measured_ms

    from samples

),

motions as (

    select
        user_id,
        night_date,
        first_epoch,
        end_epoch,
        measured_ms // 30000 as epoch_number,
        cast(sum(value) // count(*) as integer) as motion_count

    from timed_samples

    where
        metric = 'motion_count'
        and measured_ms // 30000 >= first_epoch
        and measured_ms // 30000 < end_epoch

    group by all

),

hearts as (

    select
        user_id,
        night_date,
        measured_ms // 30000 as epoch_number,
        cast(sum(value) as double) / count(*) as heart_rate_bpm

    from timed_samples

    where metric = 'heart_rate'

    group by user_id, night_date, measured_ms // 30000

),

epochs as (

    select
        motions.user_id,            -- person
        motions.night_date,         -- the person's date of waking
        make_timestamp(motions.first_epoch * 30000000) at time zone 'UTC'
            as episode_started_at,  -- start of the sleep's first whole epoch, UTC
        motions.epoch_number,       -- epochs of 30 s since 1970-01-01 UTC
        cast(motions.epoch_number - motions.first_epoch as integer)
            as epoch_index,         -- epochs since the first whole one of the sleep, from 0
        cast(motions.end_epoch - motions.first_epoch as integer)
            as epoch_count,         -- whole epochs of the sleep, measured or not
        motions.motion_count,       -- counts per 30 s
        hearts.heart_rate_bpm       -- beats/min, mean of the epoch's samples; null = none began in it

    from motions
    left join hearts
        on motions.user_id = hearts.user_id
        and motions.night_date = hearts.night_date
        and motions.epoch_number = hearts.epoch_number

)

select * from epochs
