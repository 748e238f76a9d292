-- vitals_deviations: one row per person and night whose breath or skin temperature can be held against the person's own nights
-- before.
--
-- grain:    user_id, night_date
-- inputs:   vitals_nights, definitions
-- build:    table
-- lookback: 30 days
-- reach:    30 days
-- source:   skin temperature against the mean of at least 5 of the last 30 nights, z against their sample SD (methods 4.5,
--           E087); breath against the median of the last 28 days (methods 4.6)
-- audit:    skin_temperature_baseline_nights between 5 and 30
-- audit:    respiratory_rate_baseline_nights between 5 and 28
-- caution:  skin warms with the room, the blanket and the cycle; a deviation is a deviation and no finding
-- method:   vitals_deviations/1

with

rules as (

    select
        max(case when name = 'respiratory_rate_window_days' then value end) as respiratory_rate_days,
        max(case when name = 'skin_temperature_window_days' then value end) as skin_temperature_days,
        max(case when name = 'vital_baseline_nights_min' then value end) as nights_min

    from definitions

),

-- Whole thousandths: their sums do not depend on the order.
nights as (

    select
        user_id,
        night_date,
        cast(round(1000 * respiratory_rate_per_min) as bigint) as breath,
        respiratory_rate_source,
        cast(round(1000 * skin_temperature_mean_c) as bigint) as skin

    from vitals_nights

),

tonight as (

    select nights.*

    from nights
    inner join dirty_days
        on nights.user_id = dirty_days.user_id
        and nights.night_date = dirty_days.local_date

),

skin_sums as (

    select
        tonight.user_id,
        tonight.night_date,
        tonight.skin,
        count(*) as night_count,
        sum(before.skin) as skin_sum,
        sum(before.skin * before.skin) as square_sum

    from tonight
    cross join rules
    inner join nights as before
        on tonight.user_id = before.user_id
        and before.night_date < tonight.night_date
        and before.night_date >= tonight.night_date - cast(rules.skin_temperature_days as integer)

    where
        tonight.skin is not null
        and before.skin is not null

    group by tonight.user_id, tonight.night_date, tonight.skin

),

skin_baselines as (

    select
        skin_sums.user_id,
        skin_sums.night_date,
        skin_sums.skin,
        skin_sums.night_count,
        cast(skin_sums.skin_sum as double) / skin_sums.night_count as skin_mean,
        sqrt(
            cast(skin_sums.night_count * skin_sums.square_sum - skin_sums.skin_sum * skin_sums.skin_sum as double)
            / (skin_sums.night_count * (skin_sums.night_count - 1))
        ) as skin_sd

    from skin_sums
    cross join rules

    where skin_sums.night_count >= rules.nights_min

),

-- The source's own figure and the median of our minutes are not compared with each other.
breaths_before as (

    select
        tonight.user_id,
        tonight.night_date,
        tonight.breath,
        before.breath as breath_before,
        row_number() over (
            partition by tonight.user_id, tonight.night_date
            order by before.breath, before.night_date
        ) as place,
        count(*) over (partition by tonight.user_id, tonight.night_date) as night_count

    from tonight
    cross join rules
    inner join nights as before
        on tonight.user_id = before.user_id
        and tonight.respiratory_rate_source = before.respiratory_rate_source
        and before.night_date < tonight.night_date
        and before.night_date >= tonight.night_date - cast(rules.respiratory_rate_days as integer)

),

breath_baselines as (

    select
        breaths_before.user_id,
        breaths_before.night_date,
        breaths_before.breath,
        breaths_before.night_count,
        cast(
            min(case when 2 * breaths_before.place >= breaths_before.night_count then breaths_before.breath_before end)
            + min(case when 2 * breaths_before.place > breaths_before.night_count then breaths_before.breath_before end)
            as double
        ) / 2 as breath_median

    from breaths_before
    cross join rules

    where breaths_before.night_count >= rules.nights_min

    group by breaths_before.user_id, breaths_before.night_date, breaths_before.breath, breaths_before.night_count

),

deviations as (

    select
        coalesce(skin_baselines.user_id, breath_baselines.user_id)
            as user_id,                             -- person
        coalesce(skin_baselines.night_date, breath_baselines.night_date)
            as night_date,                          -- the person's date of waking
        cast(skin_baselines.night_count as integer)
            as skin_temperature_baseline_nights,    -- nights of the last 30 it is held against; null with fewer than 5
        skin_baselines.skin_mean / 1000
            as skin_temperature_baseline_c,         -- degrees Celsius, their mean
        (skin_baselines.skin - skin_baselines.skin_mean) / 1000
            as skin_temperature_deviation_c,        -- degrees Celsius, the night less their mean
        (skin_baselines.skin - skin_baselines.skin_mean) / nullif(skin_baselines.skin_sd, 0)
            as skin_temperature_z,                  -- the same in their sample SD; null when they do not differ
        cast(breath_baselines.night_count as integer)
            as respiratory_rate_baseline_nights,    -- nights of the last 28 days it is held against; null with fewer than 5
        breath_baselines.breath_median / 1000
            as respiratory_rate_baseline_per_min,   -- breaths/min, their median
        (breath_baselines.breath - breath_baselines.breath_median) / 1000
            as respiratory_rate_deviation_per_min,  -- breaths/min, the night less their median
        'vitals_deviations/1'
            as method_version                       -- formula of this row

    from skin_baselines
    full outer join breath_baselines
        on skin_baselines.user_id = breath_baselines.user_id
        and skin_baselines.night_date = breath_baselines.night_date

)

select * from deviations
