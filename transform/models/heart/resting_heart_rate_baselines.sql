-- resting_heart_rate_baselines: one row per person and date with a resting heart rate: how far it is from the usual.
--
-- grain:    user_id, local_date
-- inputs:   resting_heart_rate_days, definitions
-- build:    table
-- lookback: person
-- reach:    forward
-- source:   today against the median of the 28 days before, notable when more than 5 beats/min above it two days running
--           (methods 2.7); only days of the same definition and the same method are compared
-- audit:    baseline_day_count between 0 and 28
-- audit:    baseline_bpm is null or baseline_bpm between 30 and 110
-- audit:    (deviation_bpm is null) = (baseline_bpm is null)
-- caution:  a deviation says that something differs, not what: training, warmth, alcohol, travel and illness all do it
-- method:   resting_heart_rate_baselines/1

with

rules as (

    select
        cast(max(case when name = 'resting_trend_days' then value end) as integer) as trend_days,
        max(case when name = 'resting_trend_days_min' then value end) as trend_days_min,
        max(case when name = 'resting_raised_bpm' then value end) as raised_bpm

    from definitions

),

-- The day itself and the one before it: raised is a matter of both.
days_to_judge as (

    select
        dirty_days.user_id,
        dirty_days.local_date

    from dirty_days

    union

    select
        dirty_days.user_id,
        dirty_days.local_date - 1 as local_date

    from dirty_days

),

baselines as (

    select
        today.user_id,
        today.local_date,
        today.resting_heart_rate_bpm,
        today.resting_heart_rate_source,
        count(earlier.local_date) as day_count,
        median(earlier.resting_heart_rate_bpm) as median_bpm

    from resting_heart_rate_days as today
    inner join days_to_judge
        on today.user_id = days_to_judge.user_id
        and today.local_date = days_to_judge.local_date
    cross join rules
    left join resting_heart_rate_days as earlier
        on today.user_id = earlier.user_id
        and earlier.local_date < today.local_date
        and earlier.local_date >= today.local_date - rules.trend_days
        and today.resting_heart_rate_source = earlier.resting_heart_rate_source
        and today.method_version = earlier.method_version

    group by today.user_id, today.local_date, today.resting_heart_rate_bpm, today.resting_heart_rate_source

),

deviations as (

    select
        baselines.user_id,
        baselines.local_date,
        baselines.resting_heart_rate_bpm,
        baselines.resting_heart_rate_source,
        baselines.day_count,
        case when baselines.day_count >= rules.trend_days_min then baselines.median_bpm end as baseline_bpm,
        case
            when baselines.day_count >= rules.trend_days_min
                then baselines.resting_heart_rate_bpm - baselines.median_bpm
        end as deviation_bpm,
        rules.raised_bpm

    from baselines
    cross join rules

),

days as (

    select
        today.user_id,                  -- person
        today.local_date,               -- the person's date
        today.resting_heart_rate_bpm,   -- beats/min
        today.resting_heart_rate_source, -- asleep or awake: which definition, of this day and of those it is compared with
        today.baseline_bpm,             -- beats/min, median of the 28 days before; null with fewer than 14 of them
        cast(today.day_count as integer)
            as baseline_day_count,      -- days of the 28 with a resting heart rate of the same definition
        today.deviation_bpm,            -- beats/min above the baseline
        today.deviation_bpm > today.raised_bpm and yesterday.deviation_bpm > yesterday.raised_bpm
            as is_raised,               -- notably above it two days running; null when either day has no baseline
        'resting_heart_rate_baselines/1'
            as method_version           -- formula of this row

    from deviations as today
    inner join dirty_days
        on today.user_id = dirty_days.user_id
        and today.local_date = dirty_days.local_date
    left join deviations as yesterday
        on today.user_id = yesterday.user_id
        and today.local_date - 1 = yesterday.local_date
        and today.resting_heart_rate_source = yesterday.resting_heart_rate_source

)

select * from days
