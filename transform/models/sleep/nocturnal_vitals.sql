-- nocturnal_vitals: one row per person and night in whose main sleep breath, oxygen or skin temperature was measured.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, stg_night_vitals, definitions
-- build:    table
-- lookback: 2 days
-- reach:    2 days
-- source:   between onset and offset: oxygen saturation as median, 5th percentile and share of minutes below 90 % (methods
--           4.1, needs 4 h), respiratory rate as median (4.6), skin temperature as mean (4.5)
-- audit:    oxygen_saturation_p5_pct <= oxygen_saturation_median_pct
-- audit:    oxygen_below_90_pct between 0 and 100
-- audit:    oxygen_measured_min >= 0 and respiratory_measured_min >= 0 and skin_measured_min >= 0
-- caution:  wrist oxygen is off by 2 to 4 %; minutes cannot tell short falls; figures for one's own comparison, no finding
-- method:   nocturnal_vitals/1

with

rules as (

    select
        max(case when name = 'oxygen_measured_min' then value end) as oxygen_min,
        max(case when name = 'oxygen_low_permille' then value end) as oxygen_low,
        max(case when name = 'oxygen_plausible_permille' then value end) as oxygen_plausible,
        max(case when name = 'vital_measured_min' then value end) as vital_min

    from definitions

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_onset_at) as first_minute,
        date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_offset_at) as end_minute

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date

    where sleep_nights.sleep_onset_at is not null

),

dates_of_nights as (

    select nights.*, nights.night_date as local_date from nights

    union all

    select nights.*, nights.night_date - 1 as local_date from nights

    union all

    select nights.*, nights.night_date - 2 as local_date from nights

),

minutes as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        stg_night_vitals.metric,
        stg_night_vitals.value

    from dates_of_nights
    inner join stg_night_vitals
        on dates_of_nights.user_id = stg_night_vitals.user_id
        and dates_of_nights.local_date = stg_night_vitals.local_date
        and stg_night_vitals.minute_number >= dates_of_nights.first_minute
        and stg_night_vitals.minute_number < dates_of_nights.end_minute
    cross join rules

    where
        stg_night_vitals.metric <> 'oxygen_saturation'
        or stg_night_vitals.value >= rules.oxygen_plausible

),

ranked as (

    select
        minutes.*,
        row_number() over (partition by user_id, night_date, metric order by value) as place,
        count(*) over (partition by user_id, night_date, metric) as measured_min

    from minutes

),

figures as (

    select
        ranked.user_id,
        ranked.night_date,
        ranked.metric,
        min(ranked.measured_min) as measured_min,
        (
            min(case when ranked.place = ceil(ranked.measured_min / 2.0) then ranked.value end)
            + min(case when ranked.place = floor(ranked.measured_min / 2.0) + 1 then ranked.value end)
        ) / 2.0 as median_value,
        min(case when ranked.place = ceil(ranked.measured_min * 0.05) then ranked.value end) as p5_value,
        cast(sum(ranked.value) as double) / count(*) as mean_value,
        100 * cast(sum(case when ranked.value < rules.oxygen_low then 1 else 0 end) as double) / count(*) as low_pct

    from ranked
    cross join rules

    group by ranked.user_id, ranked.night_date, ranked.metric

),

vitals as (

    select
        figures.user_id,                    -- person
        figures.night_date,                 -- the person's date of waking
        cast(max(case when figures.metric = 'oxygen_saturation' and figures.measured_min >= rules.oxygen_min
            then figures.median_value end) as double) / 10
            as oxygen_saturation_median_pct,
                                            -- %, median; null with less than 4 h measured
        cast(max(case when figures.metric = 'oxygen_saturation' and figures.measured_min >= rules.oxygen_min
            then figures.p5_value end) as double) / 10
            as oxygen_saturation_p5_pct,    -- %, 5th percentile
        max(case when figures.metric = 'oxygen_saturation' and figures.measured_min >= rules.oxygen_min
            then figures.low_pct end)
            as oxygen_below_90_pct,         -- %, share of measured minutes below 90 % (T90)
        cast(coalesce(max(case when figures.metric = 'oxygen_saturation' then figures.measured_min end), 0) as integer)
            as oxygen_measured_min,         -- min with a plausible oxygen saturation
        cast(max(case when figures.metric = 'respiratory_rate' and figures.measured_min >= rules.vital_min
            then figures.median_value end) as double) / 1000
            as respiratory_rate_median_per_min,
                                            -- breaths/min, median; null with less than an hour measured
        cast(coalesce(max(case when figures.metric = 'respiratory_rate' then figures.measured_min end), 0) as integer)
            as respiratory_measured_min,    -- min with a respiratory rate
        cast(max(case when figures.metric = 'skin_temperature' and figures.measured_min >= rules.vital_min
            then figures.mean_value end) as double) / 1000
            as skin_temperature_mean_celsius,
                                            -- degC, mean; null with less than an hour measured
        cast(coalesce(max(case when figures.metric = 'skin_temperature' then figures.measured_min end), 0) as integer)
            as skin_measured_min,           -- min with a skin temperature
        'nocturnal_vitals/1'
            as method_version               -- formula of this row

    from figures
    cross join rules

    group by figures.user_id, figures.night_date

)

select * from vitals
