-- stg_counter_steps: a person's steps by the running counter of one device, one row per reading that another follows on
-- the same date: what was counted from the one to the other.
--
-- grain:    user_id, local_date, device_id, measured_us
-- inputs:   silver.series_hours, definitions
-- build:    view
-- caution:  a reading below the one before it is a reset: what it shows was counted since. Where the counter passes its old
--           count before it is read again the reset does not show, and the difference is less than was walked. What was
--           counted between the last reading of a date and the first of the next belongs to neither for certain and
--           counts for none. More steps than anybody walks are a fault of the counter and not counted. On a date on which
--           any device sent steps, counters count nothing; of several counters the one read most often stands for the date.

with

hours as (

    select
        user_id,
        local_date,
        metric,
        device_id,
        source,
        utc_offset_min,
        period_ms,
        epoch_us(hour_at) as hour_us,
        offsets_ms,
        offsets_ms[1] as first_offset_ms,
        "values"

    from silver.series_hours

    where metric = 'step_counter'

),

counter_dates as (

    select distinct
        user_id,
        local_date

    from hours

),

-- Asked of the dates of counters alone: most lakes have none, and then no step is looked at.
step_dates as (

    select distinct
        series_hours.user_id,
        series_hours.local_date

    from silver.series_hours as series_hours
    inner join counter_dates
        on series_hours.user_id = counter_dates.user_id
        and series_hours.local_date = counter_dates.local_date

    where series_hours.metric = 'steps'

),

samples as (

    select
        hours.user_id,
        hours.local_date,
        hours.device_id,
        hours.source,
        hours.utc_offset_min,
        hours.period_ms,
        hours.hour_us,
        hours.first_offset_ms,
        unnest(hours.offsets_ms) as own_offset_ms,
        generate_subscripts(hours."values", 1) - 1 as sample_index,
        unnest(hours."values") as value

    from hours
    left join step_dates
        on hours.user_id = step_dates.user_id
        and hours.local_date = step_dates.local_date

    where step_dates.user_id is null

),

readings as (

    select
        user_id,
        local_date,
        device_id,
        source,
        utc_offset_min,
        hour_us + 1000 * cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint) as measured_us,
        cast(value as bigint) as count_until

    from samples

),

devices as (

    select
        user_id,
        local_date,
        device_id,
        row_number() over (
            partition by user_id, local_date
            order by count(*) desc, device_id
        ) as preference

    from readings

    group by user_id, local_date, device_id

),

-- One after the other as they were read, however they came in.
neighbours as (

    select
        readings.user_id,
        readings.local_date,
        readings.device_id,
        readings.source,
        readings.utc_offset_min,
        readings.measured_us,
        readings.count_until,
        lead(readings.measured_us) over (
            partition by readings.user_id, readings.local_date, readings.device_id
            order by readings.measured_us, readings.count_until
        ) as next_us,
        lead(readings.count_until) over (
            partition by readings.user_id, readings.local_date, readings.device_id
            order by readings.measured_us, readings.count_until
        ) as next_count

    from readings
    inner join devices
        on readings.user_id = devices.user_id
        and readings.local_date = devices.local_date
        and readings.device_id = devices.device_id

    where devices.preference = 1

),

differences as (

    select
        user_id,
        local_date,
        device_id,
        source,
        utc_offset_min,
        measured_us,
        next_us - measured_us as elapsed_us,
        case when next_count >= count_until then next_count - count_until else next_count end as step_count

    from neighbours

    where next_us is not null

),

limits as (

    select value as steps_per_min

    from definitions

    where name = 'counter_steps_per_min_max'

),

steps_by_counter as (

    select
        differences.user_id,            -- person
        differences.local_date,         -- the person's date
        'steps' as metric,              -- what it comes to
        differences.device_id,          -- device that counts
        differences.source,             -- native, import or manual
        differences.utc_offset_min,     -- min east of UTC, as recorded
        cast(differences.elapsed_us // 1000 as integer)
            as period_ms,               -- ms from one reading to the next
        differences.measured_us,        -- us since 1970-01-01 UTC, of the earlier reading
        cast(differences.step_count as integer)
            as value                    -- steps counted from one reading to the next

    from differences
    cross join limits

    -- A minute that has begun is a whole one: counters tell what they counted in bursts.
    where differences.step_count <= limits.steps_per_min * ((differences.elapsed_us + 59999999) // 60000000)

)

select * from steps_by_counter
