-- ranking_days: one row per person and local date with steps: how many of them count on a board, and what does not, why.
--
-- grain:    user_id, local_date
-- inputs:   stg_ranking_minutes, definitions
-- build:    table
-- source:   board rules Z1 and Z3, plausibility rules AC1 and AC5; a minute that two devices recorded counts once
--           (plausibility rule AC6)
-- audit:    counted_step_count between 0 and plausible_step_count
-- audit:    plausible_step_count + fast_step_count + sustained_step_count = step_count
-- audit:    counted_step_count = 0 or reached_at is not null
-- audit:    not is_quarantined or counted_step_count = 0
-- caution:  who takes part, and which days are over, is asked when a board is made; a fast run over midnight is judged on
--           each of its two dates alone
-- method:   ranking_days/1

with

limits as (

    select
        max(case when name = 'ranking_minute_step_max' then value end) as minute_step_max,
        max(case when name = 'ranking_sustained_step_max' then value end) as sustained_step_max,
        max(case when name = 'ranking_sustained_min_max' then value end) as sustained_min_max,
        max(case when name = 'ranking_day_step_max' then value end) as day_step_max,
        max(case when name = 'ranking_walking_minute_step_min' then value end) as walking_step_min,
        max(case when name = 'ranking_walking_min_max' then value end) as walking_min_max,
        cast(max(case when name = 'ranking_day_counted_step_max' then value end) as bigint) as counted_step_max

    from definitions

),

minutes as (

    select stg_ranking_minutes.*

    from stg_ranking_minutes
    inner join dirty_days
        on stg_ranking_minutes.user_id = dirty_days.user_id
        and stg_ranking_minutes.local_date = dirty_days.local_date

),

-- Runs of minutes on end above the pace that nobody keeps up.
hurried_minutes as (

    select
        minutes.user_id,
        minutes.local_date,
        minutes.minute_number,
        case
            when
                lag(minutes.minute_number + 1) over (
                    partition by minutes.user_id, minutes.local_date order by minutes.minute_number
                ) = minutes.minute_number
                then 0
            else 1
        end as begins_run

    from minutes
    cross join limits

    where minutes.step_count > limits.sustained_step_max

),

hurried_runs as (

    select
        hurried_minutes.*,
        sum(begins_run) over (
            partition by user_id, local_date order by minute_number rows unbounded preceding
        ) as run_number

    from hurried_minutes

),

sustained_minutes as (

    select
        hurried_runs.user_id,
        hurried_runs.local_date,
        hurried_runs.minute_number,
        count(*) over (
            partition by hurried_runs.user_id, hurried_runs.local_date, hurried_runs.run_number
        ) as run_min

    from hurried_runs

),

judged_minutes as (

    select
        minutes.*,
        case
            when minutes.step_count > limits.minute_step_max then 'fast'
            when sustained_minutes.run_min > limits.sustained_min_max then 'sustained'
            else 'plausible'
        end as verdict,
        minutes.step_count >= limits.walking_step_min as is_walking

    from minutes
    left join sustained_minutes
        on minutes.user_id = sustained_minutes.user_id
        and minutes.local_date = sustained_minutes.local_date
        and minutes.minute_number = sustained_minutes.minute_number
    cross join limits

),

day_sums as (

    select
        user_id,
        local_date,
        min(utc_offset_min) as utc_offset_min,
        max(ended_at) as last_evidence_at,
        cast(sum(step_count) as bigint) as step_count,
        cast(sum(case when verdict = 'plausible' then step_count else 0 end) as bigint) as plausible_step_count,
        cast(sum(case when verdict = 'fast' then 1 else 0 end) as integer) as fast_min,
        cast(sum(case when verdict = 'fast' then step_count else 0 end) as bigint) as fast_step_count,
        cast(sum(case when verdict = 'sustained' then 1 else 0 end) as integer) as sustained_min,
        cast(sum(case when verdict = 'sustained' then step_count else 0 end) as bigint) as sustained_step_count,
        cast(sum(case when foreign_step_count > 0 then 1 else 0 end) as integer) as foreign_min,
        cast(sum(foreign_step_count) as bigint) as foreign_step_count,
        cast(sum(case when is_walking then 1 else 0 end) as integer) as walking_min,
        max(case when verdict = 'plausible' and step_count > 0 then ended_at end) as last_counted_at

    from judged_minutes

    group by user_id, local_date

),

judged_days as (

    select
        day_sums.*,
        limits.counted_step_max,
        case
            when day_sums.step_count > limits.day_step_max then 'day_steps'
            when day_sums.walking_min > limits.walking_min_max then 'day_walking'
        end as quarantine_reason

    from day_sums
    cross join limits

),

-- Most days stay below the maximum and reach their count with their last step; the others reach it on the way.
running_counts as (

    select
        judged_minutes.user_id,
        judged_minutes.local_date,
        judged_minutes.ended_at,
        judged_days.counted_step_max,
        sum(judged_minutes.step_count) over (
            partition by judged_minutes.user_id, judged_minutes.local_date
            order by judged_minutes.minute_number
            rows unbounded preceding
        ) as running_step_count

    from judged_minutes
    inner join judged_days
        on judged_minutes.user_id = judged_days.user_id
        and judged_minutes.local_date = judged_days.local_date

    where
        judged_days.plausible_step_count >= judged_days.counted_step_max
        and judged_days.quarantine_reason is null
        and judged_minutes.verdict = 'plausible'

),

maxima as (

    select
        user_id,
        local_date,
        min(ended_at) as reached_at

    from running_counts

    where running_step_count >= counted_step_max

    group by user_id, local_date

),

days as (

    select
        judged_days.user_id,                -- person
        judged_days.local_date,             -- the person's date
        judged_days.utc_offset_min,         -- min east of UTC: the westernmost of the day, where it ends last
        judged_days.step_count,             -- steps of the person's own devices, all of them
        judged_days.plausible_step_count,   -- steps left when implausible minutes are left out
        case
            when judged_days.quarantine_reason is not null then cast(0 as bigint)
            else least(judged_days.plausible_step_count, judged_days.counted_step_max)
        end as counted_step_count,          -- steps that count: plausible, up to ranking_day_counted_step_max; 0 in quarantine
        case
            when judged_days.quarantine_reason is not null then null
            else coalesce(maxima.reached_at, judged_days.last_counted_at)
        end as reached_at,                  -- when counted_step_count was reached by the evidence, UTC; null when it is 0
        judged_days.fast_min,               -- min left out: faster than ranking_minute_step_max
        judged_days.fast_step_count,        -- steps in them
        judged_days.sustained_min,          -- min left out: above ranking_sustained_step_max for longer than can be
        judged_days.sustained_step_count,   -- steps in them
        judged_days.foreign_min,            -- min left out: imported or written in by hand
        judged_days.foreign_step_count,     -- steps in them, not in step_count
        judged_days.walking_min,            -- min of at least ranking_walking_minute_step_min
        judged_days.quarantine_reason is not null
            as is_quarantined,              -- the whole day waits for a person to look at it
        judged_days.quarantine_reason,      -- day_steps or day_walking: which limit; null = none
        judged_days.last_evidence_at,       -- end of the last minute with steps, UTC
        'ranking_days/1'
            as method_version               -- formula of this row

    from judged_days
    left join maxima
        on judged_days.user_id = maxima.user_id
        and judged_days.local_date = maxima.local_date

)

select * from days
