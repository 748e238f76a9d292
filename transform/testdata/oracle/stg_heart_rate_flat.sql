-- stg_heart_rate_flat: stretches in which a device that measures often told one and the same heart rate for long.
--
-- grain:    user_id, local_date, device_id, started_ms
-- inputs:   stg_heart_rate_hours, definitions
-- build:    view
-- caution:  a stretch ends with its UTC hour

with

rules as (

    select
        max(case when name = 'flat_line_min' then value end) as flat_line_min,
        max(case when name = 'flat_line_samples_per_min' then value end) as samples_per_min

    from definitions

),

-- Fewer samples than this in an hour cannot make a stretch.
hours as (

    select
        stg_heart_rate_hours.user_id,
        stg_heart_rate_hours.local_date,
        stg_heart_rate_hours.device_id,
        epoch_us(stg_heart_rate_hours.hour_at) // 1000 as hour_ms,
        cast(stg_heart_rate_hours.period_ms as bigint) as period_ms,
        case when stg_heart_rate_hours.is_regular then stg_heart_rate_hours.offsets_ms[1] end as first_offset_ms,
        case when stg_heart_rate_hours.is_regular then cast([] as integer[]) else stg_heart_rate_hours.offsets_ms end as offsets_ms,
        stg_heart_rate_hours.rates_bpm

    from stg_heart_rate_hours
    cross join rules

    where
        stg_heart_rate_hours.period_ms * rules.samples_per_min < 60000
        and len(stg_heart_rate_hours.rates_bpm) > rules.flat_line_min * rules.samples_per_min

),

timed_samples as (

    select
        user_id,
        local_date,
        device_id,
        hour_ms,
        period_ms,
        first_offset_ms,
        unnest(offsets_ms) as offset_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as bpm

    from hours

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        hour_ms,
        period_ms,
        hour_ms + coalesce(offset_ms, first_offset_ms + sample_index * period_ms) as measured_ms,
        bpm

    from timed_samples

),

changes as (

    select
        *,
        case when bpm = lag(bpm) over in_hour then 0 else 1 end as is_change

    from samples

    window in_hour as (partition by user_id, local_date, device_id, hour_ms, period_ms order by measured_ms)

),

runs as (

    select
        *,
        sum(is_change) over (
            partition by user_id, local_date, device_id, hour_ms, period_ms
            order by measured_ms
            rows between unbounded preceding and current row
        ) as run_number

    from changes

),

stretches as (

    select
        user_id,
        local_date,
        device_id,
        min(measured_ms) as started_ms,
        max(measured_ms) + max(period_ms) - min(measured_ms) as length_ms,
        count(*) as sample_count

    from runs

    group by user_id, local_date, device_id, hour_ms, period_ms, run_number

),

flat_stretches as (

    select
        stretches.user_id,      -- person
        stretches.local_date,   -- the person's date
        stretches.device_id,    -- device that told it
        stretches.started_ms,   -- ms since 1970-01-01 UTC
        stretches.length_ms     -- ms from the first sample to the last

    from stretches
    cross join rules

    where
        stretches.length_ms > rules.flat_line_min * 60000
        and stretches.sample_count * 60000 > stretches.length_ms * rules.samples_per_min

)

select * from flat_stretches
