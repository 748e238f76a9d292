-- heart_rate_hours: one row per person, local date and UTC hour with heart rate, for people who ask; made when it is read.
--
-- grain:    user_id, local_date, hour_at
-- inputs:   stg_heart_rate
-- build:    view
-- caution:  over the minutes that were measured: in an hour of few spot values these say little about the rest of it; a
--           percentile is the lowest minute at or below which that share of the measured minutes was

with

minutes as (

    select
        user_id,
        local_date,
        minute_number,
        minute_number - minute_number % 60 as first_minute,
        heart_rate_min_bpm,
        heart_rate_max_bpm,
        sample_count,
        -- Decimal, because a sum of doubles depends on the order of its terms.
        cast(cast(heart_rate_sum_bpm as double) / sample_count as decimal(38, 12)) as heart_rate_bpm

    from stg_heart_rate

),

ranked_minutes as (

    select
        user_id,
        local_date,
        first_minute,
        heart_rate_min_bpm,
        heart_rate_max_bpm,
        sample_count,
        heart_rate_bpm,
        row_number() over (partition by user_id, local_date, first_minute order by heart_rate_bpm, minute_number) as place,
        count(*) over (partition by user_id, local_date, first_minute) as measured_min

    from minutes

),

hours as (

    select
        user_id,                    -- person
        local_date,                 -- the person's date
        timestamptz '1970-01-01 00:00:00+00' + first_minute * interval 1 minute
            as hour_at,             -- start of the hour, UTC
        min(heart_rate_min_bpm)
            as heart_rate_min_bpm,  -- beats/min, lowest valid sample
        cast(min(case when place = ceil(0.05 * measured_min) then heart_rate_bpm end) as double)
            as heart_rate_p5_bpm,   -- beats/min, 5th percentile of the minutes' means
        cast(min(case when place = ceil(0.5 * measured_min) then heart_rate_bpm end) as double)
            as heart_rate_p50_bpm,  -- beats/min, median of the minutes' means
        cast(sum(heart_rate_bpm) as double) / count(*)
            as heart_rate_mean_bpm, -- beats/min, mean over the measured minutes of each minute's mean
        cast(min(case when place = ceil(0.95 * measured_min) then heart_rate_bpm end) as double)
            as heart_rate_p95_bpm,  -- beats/min, 95th percentile of the minutes' means
        max(heart_rate_max_bpm)
            as heart_rate_max_bpm,  -- beats/min, highest valid sample
        cast(sum(sample_count) as bigint)
            as sample_count,        -- valid samples
        cast(count(*) as integer)
            as measured_min         -- min with at least one valid sample

    from ranked_minutes

    group by user_id, local_date, first_minute

)

select * from hours
