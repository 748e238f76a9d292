-- nocturnal_deviations: one row per person and night: breath and skin temperature against the person's own nights before.
--
-- grain:    user_id, night_date
-- inputs:   nocturnal_vitals, definitions
-- build:    table
-- lookback: 30 days
-- reach:    30 days
-- source:   respiratory rate against the median of the 28 days before (methods 4.6); skin temperature against the mean of the
--           last 30 nights, also in SDs (n - 1) of them (4.5); at least 5 nights before
-- audit:    skin_baseline_night_count between 0 and 30
-- audit:    respiratory_baseline_night_count between 0 and 28
-- caution:  deviations only: nothing here is a fever or an illness
-- method:   nocturnal_deviations/1

with

rules as (

    select
        cast(max(case when name = 'breath_baseline_day_count' then value end) as integer) as breath_day_count,
        cast(max(case when name = 'skin_baseline_day_count' then value end) as integer) as skin_day_count,
        max(case when name = 'vital_baseline_night_count_min' then value end) as night_count_min

    from definitions

),

nights as (

    select
        nocturnal_vitals.user_id,
        nocturnal_vitals.night_date,
        nocturnal_vitals.respiratory_rate_median_per_min,
        nocturnal_vitals.skin_temperature_mean_celsius

    from nocturnal_vitals
    inner join dirty_days
        on nocturnal_vitals.user_id = dirty_days.user_id
        and nocturnal_vitals.night_date = dirty_days.local_date

),

breaths_before as (

    select
        nights.user_id,
        nights.night_date,
        past.respiratory_rate_median_per_min as rate,
        row_number() over (
            partition by nights.user_id, nights.night_date order by past.respiratory_rate_median_per_min
        ) as place,
        count(*) over (partition by nights.user_id, nights.night_date) as night_count

    from nights
    cross join rules
    inner join nocturnal_vitals as past
        on nights.user_id = past.user_id
        and past.night_date >= nights.night_date - rules.breath_day_count
        and past.night_date < nights.night_date

    where past.respiratory_rate_median_per_min is not null

),

breath_medians as (

    select
        user_id,
        night_date,
        min(night_count) as night_count,
        (
            min(case when place = ceil(night_count / 2.0) then rate end)
            + min(case when place = floor(night_count / 2.0) + 1 then rate end)
        ) / 2 as median_rate

    from breaths_before

    group by user_id, night_date

),

-- Thousandths of a degree squared, as whole numbers: a sum of doubles depends on the order of its terms.
skins_before as (

    select
        nights.user_id,
        nights.night_date,
        cast(round(past.skin_temperature_mean_celsius * 1000000) as decimal(38, 0)) as skin_micro

    from nights
    cross join rules
    inner join nocturnal_vitals as past
        on nights.user_id = past.user_id
        and past.night_date >= nights.night_date - rules.skin_day_count
        and past.night_date < nights.night_date

    where past.skin_temperature_mean_celsius is not null

),

skin_baselines as (

    select
        user_id,
        night_date,
        count(*) as night_count,
        cast(sum(skin_micro) as double) / count(*) / 1000000 as mean_celsius,
        case when count(*) > 1 then sqrt(
            cast(count(*) * sum(skin_micro * skin_micro) - sum(skin_micro) * sum(skin_micro) as double)
            / count(*) / (count(*) - 1)
        ) / 1000000 end as sd_celsius

    from skins_before

    group by user_id, night_date

),

deviations as (

    select
        nights.user_id,                     -- person
        nights.night_date,                  -- the person's date of waking
        case when breath_medians.night_count >= rules.night_count_min then breath_medians.median_rate end
            as respiratory_rate_baseline_per_min,
                                            -- breaths/min, median of the 28 days before; null with fewer than 5 nights
        case when breath_medians.night_count >= rules.night_count_min
            then nights.respiratory_rate_median_per_min - breath_medians.median_rate end
            as respiratory_rate_deviation_per_min,
                                            -- breaths/min above it
        cast(coalesce(breath_medians.night_count, 0) as integer)
            as respiratory_baseline_night_count,
                                            -- nights of it
        case when skin_baselines.night_count >= rules.night_count_min then skin_baselines.mean_celsius end
            as skin_temperature_baseline_celsius,
                                            -- degC, mean of the last 30 nights; null with fewer than 5
        case when skin_baselines.night_count >= rules.night_count_min
            then nights.skin_temperature_mean_celsius - skin_baselines.mean_celsius end
            as skin_temperature_deviation_celsius,
                                            -- degC above it
        case when skin_baselines.night_count >= rules.night_count_min
            then (nights.skin_temperature_mean_celsius - skin_baselines.mean_celsius) / nullif(skin_baselines.sd_celsius, 0) end
            as skin_temperature_deviation_z,
                                            -- SDs above it; null when all nights were the same
        cast(coalesce(skin_baselines.night_count, 0) as integer)
            as skin_baseline_night_count,   -- nights of it
        'nocturnal_deviations/1'
            as method_version               -- formula of this row

    from nights
    cross join rules
    left join breath_medians
        on nights.user_id = breath_medians.user_id
        and nights.night_date = breath_medians.night_date
    left join skin_baselines
        on nights.user_id = skin_baselines.user_id
        and nights.night_date = skin_baselines.night_date

)

select * from deviations
