-- stress_days: one row per person and local date with a stress score of the device: minutes in each of four bands.
--
-- grain:    user_id, local_date
-- inputs:   stg_day_samples, stg_beds, definitions
-- build:    table
-- go:       stress_days
-- order:    none
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   measured_min integer: min scored
-- output:   rest_min integer: min of scores 0 to 25
-- output:   low_min integer: min of scores 26 to 50
-- output:   medium_min integer: min of scores 51 to 75
-- output:   high_min integer: min of scores above 75
-- output:   awake_measured_min integer: min scored while not in bed
-- output:   awake_calm_min integer: min of scores 0 to 50 while not in bed
-- output:   stress_mean double: mean of the day's scores
-- output:   high_episode_count integer: stretches of at least 15 min of high scores
-- output:   high_episode_min integer: min in them
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

days as (

    select
        stg_day_samples.user_id,
        stg_day_samples.local_date,
        stg_day_samples.stress_minutes,
        stg_day_samples.stress_sums_score,
        stg_day_samples.stress_sample_counts,
        stg_day_samples.stress_covered_mins,
        stg_beds.bed_from_minutes,
        stg_beds.bed_until_minutes,
        rules.*

    from stg_day_samples
    inner join dirty_days
        on stg_day_samples.user_id = dirty_days.user_id
        and stg_day_samples.local_date = dirty_days.local_date
    left join stg_beds
        on stg_day_samples.user_id = stg_beds.user_id
        and stg_day_samples.local_date = stg_beds.local_date
    cross join rules

    where stg_day_samples.stress_minutes is not null

)

select * from days
