-- stg_heart_rate_held: how long a person's heart kept each rate on a date: the date's histogram, which adds up over dates,
-- and with it how much of the date was measured.
--
-- grain:    user_id, local_date, heart_rate_bpm
-- inputs:   stg_heart_rate_hours, naive_device_minutes, definitions
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
        user_id,
        local_date,
        device_id,
        hour_at,
        utc_offset_min,
        period_ms,
        offsets_ms,
        rates_bpm,
        is_shared,
        is_regular,
        refused_count,
        -- By time, and of two devices that disagree at one moment always by the same of them.
        (epoch_us(hour_at) // 1000 + coalesce(offsets_ms[1], 0)) * 4096 + utc_offset_min + 2048 as place,
        -- Each sample is over when the next begins.
        period_ms between 1 and 60000
        and (
            is_regular
            or coalesce(list_bool_and(list_transform(offsets_ms[2:], lambda o, i: o - offsets_ms[i] >= period_ms)), true)
        ) as is_even

    from stg_heart_rate_hours

),

date_sums as (

    select
        user_id,
        local_date,
        not bool_or(is_shared) and bool_and(is_even) and count(*) = count(distinct hour_at) as is_plain,
        sum(refused_count) as refused_count,
        arg_max(utc_offset_min, place) - arg_min(utc_offset_min, place) as offset_change_min,
        min(case when len(rates_bpm) > 0 then epoch_us(hour_at) // 1000 + offsets_ms[1] end) as first_ms,
        max(
            case when len(rates_bpm) > 0
                then epoch_us(hour_at) // 1000 + period_ms
                    + case when is_regular then offsets_ms[1] + (len(rates_bpm) - 1) * period_ms else offsets_ms[len(offsets_ms)] end
            end
        ) as end_ms

    from hours

    group by user_id, local_date

),

plain_minutes as (

    select
        hours.user_id,
        hours.local_date,
        sum(
            case
                when len(hours.rates_bpm) = 0 then 0
                when hours.is_regular
                    then (hours.offsets_ms[1] + (len(hours.rates_bpm) - 1) * hours.period_ms) // 60000
                        - hours.offsets_ms[1] // 60000 + 1
                else len(list_distinct(list_transform(hours.offsets_ms, lambda o: o // 60000)))
            end
        ) as measured_min

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where date_sums.is_plain

    group by hours.user_id, hours.local_date

),

other_minutes as (

    select distinct
        hours.user_id,
        hours.local_date,
        hours.hour_at,
        unnest(
            case
                when hours.is_regular
                    then list_transform(
                        generate_series(0, len(hours.rates_bpm) - 1),
                        lambda i: (hours.offsets_ms[1] + i * hours.period_ms) // 60000
                    )
                else list_transform(hours.offsets_ms, lambda o: cast(o // 60000 as bigint))
            end
        ) as minute_of_hour

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where not date_sums.is_plain

),

measured as (

    select
        user_id,
        local_date,
        measured_min

    from plain_minutes

    union all

    select
        user_id,
        local_date,
        count(*) as measured_min

    from other_minutes

    group by user_id, local_date

),

-- On most dates one device measured in even steps: a sample counts for its period, whenever it was.
plain_samples as (

    select
        hours.user_id,
        hours.local_date,
        hours.period_ms,
        unnest(hours.rates_bpm) as heart_rate_bpm

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where date_sums.is_plain

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

other_hours as (

    select hours.*

    from hours
    inner join date_sums
        on hours.user_id = date_sums.user_id
        and hours.local_date = date_sums.local_date

    where not date_sums.is_plain

),

regular_samples as (

    select
        user_id,
        local_date,
        device_id,
        is_shared,
        cast(period_ms as bigint) as period_ms,
        epoch_us(hour_at) // 1000 + offsets_ms[1] as first_ms,
        generate_subscripts(rates_bpm, 1) - 1 as sample_index,
        unnest(rates_bpm) as heart_rate_bpm

    from other_hours

    where is_regular

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
        unnest(rates_bpm) as heart_rate_bpm

    from other_hours

    where not is_regular

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
    inner join naive_device_minutes
        on samples.user_id = naive_device_minutes.user_id
        and samples.local_date = naive_device_minutes.local_date
        and samples.device_id = naive_device_minutes.device_id
        and samples.measured_ms // 60000 = naive_device_minutes.minute_number

    where
        samples.is_shared
        and naive_device_minutes.metric = 'heart_rate'

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

rate_sums as (

    select
        user_id,
        local_date,
        heart_rate_bpm,
        sum(sample_count) as sample_count,
        sum(held_ms) as held_ms,
        sum(weight_ms) as weight_ms

    from all_rates

    group by user_id, local_date, heart_rate_bpm

),

rates as (

    select
        rate_sums.user_id,          -- person
        rate_sums.local_date,       -- the person's date
        rate_sums.heart_rate_bpm,   -- beats/min
        cast(rate_sums.sample_count as bigint)
            as sample_count,        -- valid samples at the rate
        cast(rate_sums.held_ms as bigint)
            as held_ms,             -- ms in which the rate was seen: each sample until the next, spot values for 120 s at most
        cast(rate_sums.weight_ms as bigint)
            as weight_ms,           -- ms for which the rate stands in means and percentiles: spot values for 900 s at most
        cast(measured.measured_min as integer)
            as measured_min,        -- of the date: min in which a valid sample starts
        cast(date_sums.refused_count as bigint)
            as refused_count,       -- of the date: samples left out, impossible, sentinels, or jumps
        cast(1440 - date_sums.offset_change_min as integer)
            as date_length_min,     -- of the date: min it had, by the first and last offset recorded on it
        cast(date_sums.end_ms - date_sums.first_ms as bigint)
            as span_ms              -- of the date: ms from the first valid sample to the end of the last

    from rate_sums
    inner join date_sums
        on rate_sums.user_id = date_sums.user_id
        and rate_sums.local_date = date_sums.local_date
    inner join measured
        on rate_sums.user_id = measured.user_id
        and rate_sums.local_date = measured.local_date

)

select * from rates
