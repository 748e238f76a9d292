-- vitals_nights: one row per person and night with oxygen saturation, breath or skin temperature measured while asleep.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, stg_vital_minutes, daily_summaries, definitions
-- build:    table
-- lookback: 2 days
-- reach:    2 days
-- source:   minutes between onset and offset of the main sleep; oxygen saturation as mean, lowest, median, 5th percentile and
--           time below 90 %, of at least 4 valid hours (methods 4.1); nightly median of breath (4.6) and mean of skin
--           temperature (4.5)
-- audit:    oxygen_saturation_min_pct <= oxygen_saturation_p5_pct
-- audit:    oxygen_saturation_p5_pct <= oxygen_saturation_median_pct
-- audit:    oxygen_saturation_below_90_pct between 0 and 100
-- audit:    respiratory_rate_source in ('minutes', 'summary')
-- audit:    (respiratory_rate_per_min is null) = (respiratory_rate_source is null)
-- caution:  a watch errs by 2 to 4 % in oxygen saturation, more on dark skin and cold hands; a minute with a value below 70 %
--           is left out; how often it sinks is not told from minutes, see oxygen_desaturation_nights; a night known by its
--           sums alone has breath from the source's own summary at most
-- method:   vitals_nights/1

with

rules as (

    select
        max(case when name = 'oxygen_saturation_min_permille' then value end) as oxygen_min,
        max(case when name = 'oxygen_saturation_low_permille' then value end) as oxygen_low,
        max(case when name = 'oxygen_saturation_valid_min' then value end) as oxygen_valid_min,
        max(case when name = 'oxygen_saturation_percentile' then value end) as oxygen_percentile,
        max(case when name = 'night_vital_measured_min' then value end) as measured_min

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

-- The dates a night's minutes may lie on, one by one: joined by equal dates, a person's nights do not meet all of the
-- person's minutes.
dates_of_nights as (

    select
        nights.*,
        nights.night_date as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 1 as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 2 as local_date

    from nights

),

measured_minutes as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        stg_vital_minutes.metric,
        stg_vital_minutes.value_sum,
        stg_vital_minutes.sample_count,
        stg_vital_minutes.covered_min

    from dates_of_nights
    inner join stg_vital_minutes
        on dates_of_nights.user_id = stg_vital_minutes.user_id
        and dates_of_nights.local_date = stg_vital_minutes.local_date
        and stg_vital_minutes.minute_number >= dates_of_nights.first_minute
        and stg_vital_minutes.minute_number < dates_of_nights.end_minute
    cross join rules

    where
        stg_vital_minutes.metric in ('respiratory_rate', 'skin_temperature')
        or stg_vital_minutes.metric = 'oxygen_saturation' and stg_vital_minutes.value_min >= rules.oxygen_min

),

night_values as (

    select
        user_id,
        night_date,
        metric,
        cast(round(cast(value_sum as double) / sample_count) as bigint) as value,
        count(*) as minute_count,
        sum(covered_min) as covered_min

    from measured_minutes

    group by
        user_id,
        night_date,
        metric,
        cast(round(cast(value_sum as double) / sample_count) as bigint)

),

ranked_values as (

    select
        night_values.*,
        sum(minute_count) over (
            partition by user_id, night_date, metric
            order by value
            rows unbounded preceding
        ) as minutes_up_to,
        sum(minute_count) over (partition by user_id, night_date, metric) as measured_min

    from night_values

),

metric_nights as (

    select
        ranked_values.user_id,
        ranked_values.night_date,
        ranked_values.metric,
        max(ranked_values.measured_min) as measured_min,
        sum(ranked_values.covered_min) as covered_min,
        cast(sum(ranked_values.value * ranked_values.minute_count) as double) / max(ranked_values.measured_min) as mean,
        min(ranked_values.value) as lowest,
        min(
            case
                when ranked_values.minutes_up_to >= ceil(ranked_values.measured_min * rules.oxygen_percentile / 100)
                    then ranked_values.value
            end
        ) as percentile,
        cast(
            min(case when 2 * ranked_values.minutes_up_to >= ranked_values.measured_min then ranked_values.value end)
            + min(case when 2 * ranked_values.minutes_up_to > ranked_values.measured_min then ranked_values.value end)
            as double
        ) / 2 as median,
        sum(case when ranked_values.value < rules.oxygen_low then ranked_values.covered_min else 0 end) as low_min

    from ranked_values
    cross join rules

    group by ranked_values.user_id, ranked_values.night_date, ranked_values.metric

),

measured_nights as (

    select
        metric_nights.user_id,
        metric_nights.night_date,
        max(case when metric = 'oxygen_saturation' then covered_min end) as oxygen_valid_min,
        max(case when metric = 'oxygen_saturation' and covered_min >= rules.oxygen_valid_min then mean end) as oxygen_mean,
        max(case when metric = 'oxygen_saturation' and covered_min >= rules.oxygen_valid_min then lowest end) as oxygen_lowest,
        max(case when metric = 'oxygen_saturation' and covered_min >= rules.oxygen_valid_min then percentile end)
            as oxygen_percentile,
        max(case when metric = 'oxygen_saturation' and covered_min >= rules.oxygen_valid_min then median end) as oxygen_median,
        max(
            case
                when metric = 'oxygen_saturation' and covered_min >= rules.oxygen_valid_min
                    then cast(low_min as double) / covered_min
            end
        ) as oxygen_low_share,
        max(case when metric = 'respiratory_rate' then covered_min end) as respiratory_rate_min,
        max(case when metric = 'respiratory_rate' and covered_min >= rules.measured_min then median end)
            as respiratory_rate_median,
        max(case when metric = 'skin_temperature' then covered_min end) as skin_temperature_min,
        max(case when metric = 'skin_temperature' and covered_min >= rules.measured_min then mean end)
            as skin_temperature_mean

    from metric_nights
    cross join rules

    group by metric_nights.user_id, metric_nights.night_date

),

summaries as (

    select
        daily_summaries.user_id,
        daily_summaries.local_date as night_date,
        daily_summaries.value,
        row_number() over (
            partition by daily_summaries.user_id, daily_summaries.local_date
            order by
                case daily_summaries.source when 'native' then 1 when 'import' then 2 else 3 end,
                daily_summaries.device_id
        ) as preference

    from daily_summaries
    inner join dirty_days
        on daily_summaries.user_id = dirty_days.user_id
        and daily_summaries.local_date = dirty_days.local_date

    where daily_summaries.metric = 'respiratory_rate'

),

told_nights as (

    select
        user_id,
        night_date,
        value

    from summaries

    where preference = 1

),

nights_with_vitals as (

    select
        coalesce(measured_nights.user_id, told_nights.user_id)
            as user_id,                         -- person
        coalesce(measured_nights.night_date, told_nights.night_date)
            as night_date,                      -- the person's date of waking
        cast(measured_nights.oxygen_valid_min as integer)
            as oxygen_saturation_valid_min,     -- min asleep with a valid oxygen saturation; null when none
        measured_nights.oxygen_mean / 10
            as oxygen_saturation_mean_pct,      -- %, null with less than 4 valid hours
        cast(measured_nights.oxygen_lowest as double) / 10
            as oxygen_saturation_min_pct,       -- %, the lowest minute
        cast(measured_nights.oxygen_percentile as double) / 10
            as oxygen_saturation_p5_pct,        -- %, 5th percentile of the minutes
        measured_nights.oxygen_median / 10
            as oxygen_saturation_median_pct,    -- %, median of the minutes
        100 * measured_nights.oxygen_low_share
            as oxygen_saturation_below_90_pct,  -- % of the valid time below 90 % (T90)
        cast(measured_nights.respiratory_rate_min as integer)
            as respiratory_rate_measured_min,   -- min asleep with a breath rate; null when none
        coalesce(measured_nights.respiratory_rate_median, told_nights.value) / 1000
            as respiratory_rate_per_min,        -- breaths/min, median of the minutes, else the source's own figure
        case
            when measured_nights.respiratory_rate_median is not null then 'minutes'
            when told_nights.value is not null then 'summary'
        end
            as respiratory_rate_source,         -- minutes or summary
        cast(measured_nights.skin_temperature_min as integer)
            as skin_temperature_measured_min,   -- min asleep with a skin temperature; null when none
        measured_nights.skin_temperature_mean / 1000
            as skin_temperature_mean_c,         -- degrees Celsius, mean of the minutes
        'vitals_nights/1'
            as method_version                   -- formula of this row

    from measured_nights
    full outer join told_nights
        on measured_nights.user_id = told_nights.user_id
        and measured_nights.night_date = told_nights.night_date

)

select * from nights_with_vitals
