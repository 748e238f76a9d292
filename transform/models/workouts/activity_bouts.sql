-- activity_bouts: one row per stretch of minutes that looks like a walk, a run or a ride, whether or not it was recorded.
--
-- grain:    user_id, local_date, first_minute
-- inputs:   stg_steps, stg_heart_rate, heart_rate_max_days, resting_heart_rate_days, definitions
-- build:    table
-- source:   a walk has 60 steps in 80 % of its minutes and 90 to 139 in the middle one; a run has 140 and a heart rate of 60 %
--           of the highest, or 150; a ride has a heart rate of half the reserve and few steps for 15 min; two minutes below
--           do not end a stretch, 10 min are the least (methods 3.6)
-- audit:    bout_kind in ('walk', 'run', 'ride')
-- audit:    duration_min >= 10
-- audit:    confidence_pct between 0 and 100
-- audit:    active_min <= duration_min
-- caution:  a stretch ends at midnight; a ride is told by the heart alone and may be any exercise without steps
-- method:   activity_bouts/1

with

rules as (

    select
        max(case when name = 'candidate_min' then value end) as least_min,
        max(case when name = 'candidate_ride_min' then value end) as ride_min,
        max(case when name = 'candidate_gap_min' then value end) as gap_min,
        max(case when name = 'candidate_steps_min' then value end) as steps_min,
        max(case when name = 'candidate_walk_cadence_min' then value end) as walk_cadence,
        max(case when name = 'candidate_walk_share_pct' then value end) as share_pct,
        max(case when name = 'candidate_run_cadence_min' then value end) as run_cadence,
        max(case when name = 'candidate_run_certain_cadence_min' then value end) as certain_cadence,
        max(case when name = 'candidate_run_heart_pct' then value end) as run_heart_pct,
        max(case when name = 'candidate_ride_heart_pct' then value end) as ride_heart_pct,
        max(case when name = 'candidate_ride_cadence_max' then value end) as ride_cadence

    from definitions

),

-- Few minutes have so many steps, and few so fast a heart: only these are looked at.
stepping_minutes as (

    select
        stg_steps.user_id,
        stg_steps.local_date,
        stg_steps.minute_number,
        stg_steps.step_count

    from stg_steps
    inner join dirty_days
        on stg_steps.user_id = dirty_days.user_id
        and stg_steps.local_date = dirty_days.local_date
    cross join rules

    where stg_steps.step_count >= rules.steps_min

),

limits as (

    select
        heart_rate_max_days.user_id,
        heart_rate_max_days.local_date,
        heart_rate_max_days.heart_rate_max_bpm,
        resting_heart_rate_days.resting_heart_rate_bpm
        + rules.ride_heart_pct * (heart_rate_max_days.heart_rate_max_bpm - resting_heart_rate_days.resting_heart_rate_bpm) / 100
            as ride_from_bpm

    from heart_rate_max_days
    inner join dirty_days
        on heart_rate_max_days.user_id = dirty_days.user_id
        and heart_rate_max_days.local_date = dirty_days.local_date
    cross join rules
    left join resting_heart_rate_days
        on heart_rate_max_days.user_id = resting_heart_rate_days.user_id
        and heart_rate_max_days.local_date = resting_heart_rate_days.local_date

),

-- Where there are steps nobody rides, whatever the heart does.
riding_minutes as (

    select
        stg_heart_rate.user_id,
        stg_heart_rate.local_date,
        stg_heart_rate.minute_number

    from stg_heart_rate
    inner join limits
        on stg_heart_rate.user_id = limits.user_id
        and stg_heart_rate.local_date = limits.local_date
        and stg_heart_rate.heart_rate_sum_bpm >= limits.ride_from_bpm * stg_heart_rate.sample_count
    cross join rules
    left join stg_steps
        on stg_heart_rate.user_id = stg_steps.user_id
        and stg_heart_rate.local_date = stg_steps.local_date
        and stg_heart_rate.minute_number = stg_steps.minute_number
        and stg_steps.step_count >= rules.ride_cadence

    where stg_steps.user_id is null

),

minutes as (

    select
        user_id,
        local_date,
        'steps' as evidence,
        minute_number,
        step_count

    from stepping_minutes

    union all

    select
        user_id,
        local_date,
        'heart' as evidence,
        minute_number,
        cast(null as bigint) as step_count

    from riding_minutes

),

marked_minutes as (

    select
        *,
        minute_number - lag(minute_number) over (
            partition by user_id, local_date, evidence
            order by minute_number
        ) as since_last_min

    from minutes

),

numbered_minutes as (

    select
        marked_minutes.*,
        sum(case when since_last_min <= rules.gap_min + 1 then 0 else 1 end) over (
            partition by user_id, local_date, evidence
            order by minute_number
            rows unbounded preceding
        ) as stretch_number

    from marked_minutes
    cross join rules

),

ranked_minutes as (

    select
        *,
        count(*) over (partition by user_id, local_date, evidence, stretch_number) as minute_count,
        row_number() over (
            partition by user_id, local_date, evidence, stretch_number
            order by step_count, minute_number
        ) as step_rank

    from numbered_minutes

),

stretches as (

    select
        user_id,
        local_date,
        evidence,
        min(minute_number) as first_minute,
        max(minute_number) as last_minute,
        count(*) as active_min,
        max(minute_number) - min(minute_number) + 1 as duration_min,
        cast(sum(step_count) as bigint) as step_count,
        -- The middle minute, the lower of two.
        max(case when 2 * step_rank between minute_count and minute_count + 1 then step_count end) as cadence_steps_per_min

    from ranked_minutes

    group by user_id, local_date, evidence, stretch_number

),

long_stretches as (

    select stretches.*

    from stretches
    cross join rules

    where
        stretches.duration_min >= case stretches.evidence when 'steps' then rules.least_min else rules.ride_min end
        and stretches.active_min * 100 >= rules.share_pct * stretches.duration_min

),

heart_sums as (

    select
        long_stretches.user_id,
        long_stretches.local_date,
        long_stretches.evidence,
        long_stretches.first_minute,
        sum(stg_heart_rate.heart_rate_sum_bpm) as heart_rate_sum_bpm,
        sum(stg_heart_rate.sample_count) as sample_count

    from long_stretches
    inner join stg_heart_rate
        on long_stretches.user_id = stg_heart_rate.user_id
        and long_stretches.local_date = stg_heart_rate.local_date
        and stg_heart_rate.minute_number between long_stretches.first_minute and long_stretches.last_minute

    group by long_stretches.user_id, long_stretches.local_date, long_stretches.evidence, long_stretches.first_minute

),

judged as (

    select
        long_stretches.*,
        cast(heart_sums.heart_rate_sum_bpm as double) / heart_sums.sample_count as heart_rate_mean_bpm,
        case
            when long_stretches.evidence = 'heart' then 'ride'
            when
                long_stretches.cadence_steps_per_min >= rules.certain_cadence
                or long_stretches.cadence_steps_per_min >= rules.run_cadence
                and heart_sums.heart_rate_sum_bpm * 100
                >= rules.run_heart_pct * limits.heart_rate_max_bpm * heart_sums.sample_count
                then 'run'
            when
                long_stretches.cadence_steps_per_min >= rules.walk_cadence
                and long_stretches.cadence_steps_per_min < rules.certain_cadence
                then 'walk'
        end as bout_kind,
        -- By the heart alone it may be anything; a run without a heart rate, or a fast walk, is less certain.
        case
            when long_stretches.evidence = 'heart' then 60
            when long_stretches.cadence_steps_per_min >= rules.run_cadence and heart_sums.sample_count is null then 65
            else cast(long_stretches.active_min * 100 / long_stretches.duration_min as integer)
        end as confidence_pct

    from long_stretches
    cross join rules
    left join heart_sums
        on long_stretches.user_id = heart_sums.user_id
        and long_stretches.local_date = heart_sums.local_date
        and long_stretches.evidence = heart_sums.evidence
        and long_stretches.first_minute = heart_sums.first_minute
    left join limits
        on long_stretches.user_id = limits.user_id
        and long_stretches.local_date = limits.local_date

),

bouts as (

    select
        user_id,                     -- person
        local_date,                  -- the person's date
        first_minute,                -- minutes since 1970-01-01 UTC
        last_minute,                 -- minutes since 1970-01-01 UTC, the last of the stretch
        bout_kind,                   -- walk, run or ride
        cast(duration_min as integer)
            as duration_min,                -- min from the first to the last
        cast(active_min as integer)
            as active_min,                  -- min with enough steps, or so fast a heart
        step_count,                  -- steps of these minutes; null of a ride
        cadence_steps_per_min,       -- steps/min of the middle one; null of a ride
        round(heart_rate_mean_bpm, 1)
            as heart_rate_mean_bpm,         -- beats/min, mean of the samples; null when none were measured
        confidence_pct,              -- %, how sure it is; below 70 the person is asked
        'activity_bouts/1'
            as method_version               -- formula of this row

    from judged

    where bout_kind is not null

)

select * from bouts
