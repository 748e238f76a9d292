-- stress_days: one row per person and local date with a stress score of the device: minutes in each of four bands.
--
-- grain:    user_id, local_date
-- inputs:   stg_vital_minutes, in_bed_days, definitions
-- build:    table
-- source:   the device's own score, 0 to 25 rest, to 50 low, to 75 medium, above high (product rule V2); an episode is a
--           quarter of an hour of high scores on end
-- audit:    rest_min + low_min + medium_min + high_min = measured_min
-- audit:    awake_measured_min <= measured_min
-- audit:    high_episode_min <= high_min
-- caution:  no open formula gives a maker's score, and none is validated; a device scores stress at rest, and what it did
--           not score was not rest; scores of two makers are not to be compared
-- method:   stress_days/1

with

rules as (

    select
        max(case when name = 'stress_rest_max' then value end) as rest_max,
        max(case when name = 'stress_low_max' then value end) as low_max,
        max(case when name = 'stress_medium_max' then value end) as medium_max,
        max(case when name = 'stress_episode_min' then value end) as episode_min

    from definitions

),

minutes as (

    select
        stg_vital_minutes.user_id,
        stg_vital_minutes.local_date,
        stg_vital_minutes.minute_number,
        stg_vital_minutes.value_sum as stress_sum_score,
        stg_vital_minutes.sample_count as stress_sample_count,
        stg_vital_minutes.covered_min,
        in_bed_days.user_id is null as is_awake,
        case
            when stg_vital_minutes.value_sum <= rules.rest_max * stg_vital_minutes.sample_count then 'rest'
            when stg_vital_minutes.value_sum <= rules.low_max * stg_vital_minutes.sample_count then 'low'
            when stg_vital_minutes.value_sum <= rules.medium_max * stg_vital_minutes.sample_count then 'medium'
            else 'high'
        end as band

    from stg_vital_minutes
    inner join dirty_days
        on stg_vital_minutes.user_id = dirty_days.user_id
        and stg_vital_minutes.local_date = dirty_days.local_date
    cross join rules
    left join in_bed_days
        on stg_vital_minutes.user_id = in_bed_days.user_id
        and stg_vital_minutes.local_date = in_bed_days.local_date
        and stg_vital_minutes.minute_number >= in_bed_days.from_minute
        and stg_vital_minutes.minute_number < in_bed_days.until_minute

    where stg_vital_minutes.metric = 'stress'

),

band_days as (

    select
        user_id,
        local_date,
        sum(covered_min) as measured_min,
        sum(case when band = 'rest' then covered_min else 0 end) as rest_min,
        sum(case when band = 'low' then covered_min else 0 end) as low_min,
        sum(case when band = 'medium' then covered_min else 0 end) as medium_min,
        sum(case when band = 'high' then covered_min else 0 end) as high_min,
        sum(case when is_awake then covered_min else 0 end) as awake_measured_min,
        sum(case when is_awake and band in ('rest', 'low') then covered_min else 0 end) as awake_calm_min,
        sum(stress_sum_score) as score_sum,
        sum(stress_sample_count) as sample_count

    from minutes

    group by user_id, local_date

),

high_minutes as (

    select
        user_id,
        local_date,
        minute_number,
        covered_min,
        case
            when
                lag(minute_number + covered_min) over (partition by user_id, local_date order by minute_number)
                >= minute_number
                then 0
            else 1
        end as begins_run

    from minutes

    where band = 'high'

),

numbered_high_minutes as (

    select
        high_minutes.*,
        sum(begins_run) over (
            partition by user_id, local_date
            order by minute_number
            rows unbounded preceding
        ) as run_number

    from high_minutes

),

high_runs as (

    select
        user_id,
        local_date,
        sum(covered_min) as run_min

    from numbered_high_minutes

    group by user_id, local_date, run_number

),

episode_days as (

    select
        high_runs.user_id,
        high_runs.local_date,
        count(*) as episode_count,
        sum(high_runs.run_min) as episode_min

    from high_runs
    cross join rules

    where high_runs.run_min >= rules.episode_min

    group by high_runs.user_id, high_runs.local_date

),

days as (

    select
        band_days.user_id,          -- person
        band_days.local_date,       -- the person's date
        cast(band_days.measured_min as integer)
            as measured_min,        -- min scored
        cast(band_days.rest_min as integer)
            as rest_min,            -- min of scores 0 to 25
        cast(band_days.low_min as integer)
            as low_min,             -- min of scores 26 to 50
        cast(band_days.medium_min as integer)
            as medium_min,          -- min of scores 51 to 75
        cast(band_days.high_min as integer)
            as high_min,            -- min of scores above 75
        cast(band_days.awake_measured_min as integer)
            as awake_measured_min,  -- min scored while not in bed
        cast(band_days.awake_calm_min as integer)
            as awake_calm_min,      -- min of scores 0 to 50 while not in bed
        cast(band_days.score_sum as double) / band_days.sample_count
            as stress_mean,         -- mean of the day's scores
        cast(coalesce(episode_days.episode_count, 0) as integer)
            as high_episode_count,  -- stretches of at least 15 min of high scores
        cast(coalesce(episode_days.episode_min, 0) as integer)
            as high_episode_min,    -- min in them
        'stress_days/1'
            as method_version       -- formula of this row

    from band_days
    left join episode_days
        on band_days.user_id = episode_days.user_id
        and band_days.local_date = episode_days.local_date

)

select * from days
