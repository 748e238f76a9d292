-- stg_ranking_minutes: a person's minutes with steps, from the one device that stands for the minute, with what of them
-- is evidence for rankings.
--
-- grain:    user_id, local_date, minute_number
-- inputs:   stg_metric_days, stg_series_samples, stg_counter_steps, stg_device_minutes
-- build:    view
-- caution:  a sample longer than a minute is one row that starts at its first minute; minutes without steps have no row

with

days as (

    select
        user_id,
        local_date,
        is_shared,
        is_by_minute

    from stg_metric_days

    where metric = 'steps'

),

samples as (

    select
        stg_series_samples.user_id,
        stg_series_samples.local_date,
        stg_series_samples.device_id,
        stg_series_samples.metric,
        stg_series_samples.measured_us // 60000000 as minute_number,
        stg_series_samples.utc_offset_min,
        greatest(stg_series_samples.period_ms // 60000, 1) as covered_min,
        case when stg_series_samples.source = 'native' then stg_series_samples.value else 0 end as step_count,
        case when stg_series_samples.source = 'native' then 0 else stg_series_samples.value end as foreign_step_count,
        days.is_shared,
        days.is_by_minute

    from stg_series_samples
    inner join days
        on stg_series_samples.user_id = days.user_id
        and stg_series_samples.local_date = days.local_date

    where
        stg_series_samples.metric = 'steps'
        and stg_series_samples.value > 0

    union all

    -- Of counters one stands for the whole date.
    select
        user_id,
        local_date,
        device_id,
        metric,
        measured_us // 60000000 as minute_number,
        utc_offset_min,
        greatest(period_ms // 60000, 1) as covered_min,
        case when source = 'native' then value else 0 end as step_count,
        case when source = 'native' then 0 else value end as foreign_step_count,
        false as is_shared,
        false as is_by_minute

    from stg_counter_steps

    where value > 0

),

minutes_as_recorded as (

    select
        user_id,
        local_date,
        minute_number,
        covered_min,
        utc_offset_min,
        cast(step_count as bigint) as step_count,
        cast(foreign_step_count as bigint) as foreign_step_count

    from samples

    where is_by_minute

),

samples_to_sum as (

    select
        user_id,
        local_date,
        minute_number,
        covered_min,
        utc_offset_min,
        step_count,
        foreign_step_count

    from samples

    where not is_by_minute and not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.minute_number,
        samples.covered_min,
        samples.utc_offset_min,
        samples.step_count,
        samples.foreign_step_count

    from samples
    inner join stg_device_minutes
        on samples.user_id = stg_device_minutes.user_id
        and samples.local_date = stg_device_minutes.local_date
        and samples.metric = stg_device_minutes.metric
        and samples.device_id = stg_device_minutes.device_id
        and samples.minute_number = stg_device_minutes.minute_number

    where samples.is_shared

),

minutes_summed as (

    select
        user_id,
        local_date,
        minute_number,
        max(covered_min) as covered_min,
        min(utc_offset_min) as utc_offset_min,
        cast(sum(step_count) as bigint) as step_count,
        cast(sum(foreign_step_count) as bigint) as foreign_step_count

    from samples_to_sum

    group by user_id, local_date, minute_number

),

all_minutes as (

    select * from minutes_as_recorded

    union all

    select * from minutes_summed

),

minutes as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        minute_number,          -- minutes since 1970-01-01 UTC, of the first minute
        covered_min,            -- min that the steps were counted over
        make_timestamptz((minute_number + covered_min) * 60000000)
            as ended_at,        -- when the last of them was counted, UTC
        utc_offset_min,         -- min east of UTC, as recorded
        step_count,             -- steps that the person's own device counted: evidence
        foreign_step_count      -- steps that were imported or written in by hand: no evidence

    from all_minutes

)

select * from minutes
