-- stg_heart_rate_held: how long a person's heart kept each rate on a date: the date's histogram, which adds up over dates.
--
-- grain:    user_id, local_date, heart_rate_bpm
-- inputs:   stg_heart_rate_hours, stg_heart_rate_counts, stg_device_minutes, definitions
-- build:    view
-- caution:  a date is made of its own samples: the last one of an evening is not held over midnight

with

rules as (

    select
        cast(1000 * max(case when name = 'heart_rate_hold_s' then value end) as bigint) as hold_ms,
        cast(1000 * max(case when name = 'heart_rate_hold_dense_s' then value end) as bigint) as hold_dense_ms,
        cast(1000 * max(case when name = 'heart_rate_dense_gap_s' then value end) as bigint) as dense_gap_ms,
        cast(1000 * max(case when name = 'heart_rate_spot_hold_s' then value end) as bigint) as spot_hold_ms,
        cast(1000 * max(case when name = 'heart_rate_spot_own_s' then value end) as bigint) as spot_own_ms

    from definitions

),

hours as (

    select
        stg_heart_rate_hours.*,
        stg_heart_rate_counts.is_plain

    from stg_heart_rate_hours
    inner join stg_heart_rate_counts
        on stg_heart_rate_hours.user_id = stg_heart_rate_counts.user_id
        and stg_heart_rate_hours.local_date = stg_heart_rate_counts.local_date

),

-- On most dates one device measured in even steps: a sample counts for its period, whenever it was.
plain_samples as (

    select
        user_id,
        local_date,
        period_ms,
        unnest("values") as heart_rate_bpm

    from hours

    where is_plain

),

plain_rates as (

    select
        user_id,
        local_date,
        period_ms,
        heart_rate_bpm,
        count(*) as sample_count

    from plain_samples

    group by user_id, local_date, period_ms, heart_rate_bpm

),

regular_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        cast(period_ms as bigint) as period_ms,
        epoch_us(hour_at) // 1000 + offsets_ms[1] as first_ms,
        generate_subscripts("values", 1) - 1 as sample_index,
        unnest("values") as heart_rate_bpm

    from hours

    where not is_plain and is_regular

),

scattered_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        cast(period_ms as bigint) as period_ms,
        epoch_us(hour_at) // 1000 as hour_ms,
        unnest(offsets_ms) as offset_ms,
        unnest("values") as heart_rate_bpm

    from hours

    where not is_plain and not is_regular

),

samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        period_ms,
        first_ms + sample_index * period_ms as measured_ms,
        heart_rate_bpm

    from regular_samples

    union all

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        period_ms,
        hour_ms + offset_ms as measured_ms,
        heart_rate_bpm

    from scattered_samples

),

chosen_samples as (

    select
        user_id,
        local_date,
        period_ms,
        measured_ms,
        heart_rate_bpm

    from samples

    where not is_shared

    union all

    select
        samples.user_id,
        samples.local_date,
        samples.period_ms,
        samples.measured_ms,
        samples.heart_rate_bpm

    from samples
    inner join stg_device_minutes
        on samples.user_id = stg_device_minutes.user_id
        and samples.local_date = stg_device_minutes.local_date
        and samples.device_id = stg_device_minutes.device_id
        and samples.measured_ms // 60000 = stg_device_minutes.minute_number

    where
        samples.is_shared
        and stg_device_minutes.metric = 'heart_rate'

),

neighbours as (

    select
        user_id,
        local_date,
        period_ms,
        heart_rate_bpm,
        measured_ms - lag(measured_ms) over in_time as before_ms,
        lead(measured_ms) over in_time - measured_ms as after_ms

    from chosen_samples

    -- Of two samples at one moment the finer series has the later word.
    window in_time as (partition by user_id, local_date order by measured_ms, period_ms desc, heart_rate_bpm)

),

-- A sample counts until the next, but no longer than it says itself; a spot value says nothing, and the rules do.
held_samples as (

    select
        neighbours.user_id,
        neighbours.local_date,
        neighbours.heart_rate_bpm,
        case
            when neighbours.period_ms > 0
                then least(coalesce(neighbours.after_ms, neighbours.period_ms), neighbours.period_ms, rules.hold_ms)
            when neighbours.before_ms <= rules.dense_gap_ms
                then least(coalesce(neighbours.after_ms, 0), rules.hold_dense_ms)
            else least(coalesce(neighbours.after_ms, 0), rules.hold_ms)
        end as held_ms,
        case
            when neighbours.period_ms > 0
                then least(coalesce(neighbours.after_ms, neighbours.period_ms), neighbours.period_ms, rules.spot_hold_ms)
            when neighbours.after_ms <= rules.spot_hold_ms then neighbours.after_ms
            else rules.spot_own_ms
        end as weight_ms

    from neighbours
    cross join rules

),

all_rates as (

    select
        user_id,
        local_date,
        heart_rate_bpm,
        sample_count,
        sample_count * period_ms as held_ms,
        sample_count * period_ms as weight_ms

    from plain_rates

    union all

    select
        user_id,
        local_date,
        heart_rate_bpm,
        cast(1 as bigint) as sample_count,
        held_ms,
        weight_ms

    from held_samples

),

rates as (

    select
        user_id,            -- person
        local_date,         -- the person's date
        heart_rate_bpm,     -- beats/min
        cast(sum(sample_count) as bigint)
            as sample_count,    -- valid samples
        cast(sum(held_ms) as bigint)
            as held_ms,         -- ms in which the rate was seen: each sample until the next, spot values for 120 s at most
        cast(sum(weight_ms) as bigint)
            as weight_ms        -- ms for which the rate stands in means and percentiles: spot values for 900 s at most

    from all_rates

    group by user_id, local_date, heart_rate_bpm

)

select * from rates
