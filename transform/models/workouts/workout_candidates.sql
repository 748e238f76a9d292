-- workout_candidates: one row per walk, run or ride that was recognised and that no recorded workout tells.
--
-- grain:    user_id, local_date, first_minute
-- inputs:   activity_bouts, workout_summaries, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- source:   product rule W4: what a recorded workout overlaps is that workout, and is counted once; less sure than 70 % the
--           person is asked (methods 3.6)
-- audit:    bout_kind in ('walk', 'run', 'ride')
-- audit:    ended_at > started_at
-- caution:  a proposal until the person confirms it, which is to record a workout over it
-- method:   workout_candidates/1

with

rules as (

    select max(case when name = 'candidate_sure_pct' then value end) as sure_pct

    from definitions

),

bouts as (

    select
        activity_bouts.*,
        timestamptz '1970-01-01 00:00:00+00' + activity_bouts.first_minute * interval '1' minute as started_at,
        timestamptz '1970-01-01 00:00:00+00' + (activity_bouts.last_minute + 1) * interval '1' minute as ended_at

    from activity_bouts
    inner join dirty_days
        on activity_bouts.user_id = dirty_days.user_id
        and activity_bouts.local_date = dirty_days.local_date

),

told as (

    select distinct
        bouts.user_id,
        bouts.local_date,
        bouts.first_minute

    from bouts
    inner join workout_summaries
        on bouts.user_id = workout_summaries.user_id
        and workout_summaries.local_date between bouts.local_date - 1 and bouts.local_date + 1
        and workout_summaries.started_at < bouts.ended_at
        and workout_summaries.ended_at > bouts.started_at

),

candidates as (

    select
        bouts.user_id,                  -- person
        bouts.local_date,               -- the person's date
        bouts.first_minute,             -- minutes since 1970-01-01 UTC
        bouts.started_at,               -- start, UTC
        bouts.ended_at,                 -- end, UTC
        bouts.bout_kind,                -- walk, run or ride
        bouts.duration_min,             -- min
        bouts.step_count,               -- steps; null of a ride
        bouts.cadence_steps_per_min,    -- steps/min of the middle minute; null of a ride
        bouts.heart_rate_mean_bpm,      -- beats/min; null when none were measured
        bouts.confidence_pct,           -- %, how sure it is
        bouts.confidence_pct < rules.sure_pct
            as needs_confirmation,      -- the person is to be asked
        'workout_candidates/1'
            as method_version           -- formula of this row

    from bouts
    cross join rules
    left join told
        on bouts.user_id = told.user_id
        and bouts.local_date = told.local_date
        and bouts.first_minute = told.first_minute

    where told.user_id is null

)

select * from candidates
