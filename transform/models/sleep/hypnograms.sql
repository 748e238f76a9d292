-- hypnograms: one row per bout of a sleep, in order: which stage, and who says so.
--
-- grain:    user_id, night_date, period_started_at, source, started_at
-- inputs:   stg_told_stretches
-- build:    view
-- source:   bouts of a sleep touch and never overlap; what nobody told is a bout of its own, unknown (product rule S7)
-- caution:  light = N1+N2; a device's stages and estimates of ours are never mixed: each source has a hypnogram of its own

with

neighbours as (

    select
        user_id,
        night_date,
        period_started_at,
        kind,
        source,
        started_at,
        ended_at,
        stage,
        lag(ended_at) over (
            partition by user_id, night_date, period_started_at, source order by started_at
        ) as ended_before,
        lag(stage) over (
            partition by user_id, night_date, period_started_at, source order by started_at
        ) as stage_before

    from stg_told_stretches

),

-- Between two stretches that do not touch lies a hole.
stretches_and_holes as (

    select
        user_id,
        night_date,
        period_started_at,
        kind,
        source,
        started_at,
        ended_at,
        stage,
        1 as is_told,
        case when ended_before = started_at and stage_before = stage then 0 else 1 end as begins_bout

    from neighbours

    union all

    select
        user_id,
        night_date,
        period_started_at,
        kind,
        source,
        ended_before as started_at,
        started_at as ended_at,
        'unknown' as stage,
        0 as is_told,
        1 as begins_bout

    from neighbours

    where ended_before < started_at

),

numbered as (

    select
        stretches_and_holes.*,
        sum(begins_bout) over (
            partition by user_id, night_date, period_started_at, source
            order by started_at
            rows unbounded preceding
        ) as bout_number

    from stretches_and_holes

),

bouts_merged as (

    select
        user_id,
        night_date,
        period_started_at,
        source,
        bout_number,
        min(kind) as kind,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        min(stage) as stage,
        min(is_told) as is_told

    from numbered

    group by user_id, night_date, period_started_at, source, bout_number

),

bouts as (

    select
        user_id,                -- person
        night_date,             -- the person's date at the end of the sleep
        period_started_at,      -- start of the sleep, UTC: with person and date the row of sleep_periods
        kind,                   -- main, nap, split or short, as in sleep_periods
        source,                 -- device or estimate: who says so
        cast(bout_number as integer)
            as bout_number,     -- place in the sleep, from 1
        started_at,             -- start of the bout, UTC
        ended_at,               -- end of the bout, UTC
        stage,                  -- awake, light, deep, rem, asleep, out_of_bed or unknown
        case
            when stage in ('light', 'deep', 'rem', 'asleep') then 'asleep'
            when stage in ('awake', 'out_of_bed') then 'awake'
            else 'unknown'
        end
            as state,           -- asleep, awake or unknown
        is_told = 1
            as is_told,         -- false of a hole in the record
        date_diff('millisecond', started_at, ended_at)
            as duration_ms      -- ms

    from bouts_merged

)

select * from bouts
