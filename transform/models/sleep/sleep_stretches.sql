-- sleep_stretches: one row per stretch of a device's sleep record, with the episode it belongs to.
--
-- grain:    user_id, device_id, started_at
-- inputs:   stg_sleep_segments, definitions
-- build:    view
-- source:   rest less than 60 min apart is one episode (van Hees 2018; methods 1.6)
-- caution:  time out of bed belongs to an episode only between two stretches in bed; a record without any break from one
--           midnight to the next and beyond is cut at the first stretch of that date

with

episode_gap as (

    select value as gap_min

    from definitions

    where name = 'sleep_episode_gap_min'

),

-- Stretches of a device never overlap, so that the latest end before a stretch is the end of the one before it.
stretches as (

    select
        stg_sleep_segments.*,
        case when stage = 'out_of_bed' then 0 else 1 end as is_in_bed,
        max(case when stage <> 'out_of_bed' then ended_at end) over (
            partition by user_id, device_id
            order by started_at
            rows between unbounded preceding and 1 preceding
        ) as in_bed_until

    from stg_sleep_segments

),

gaps as (

    select
        stretches.*,
        case
            when stretches.is_in_bed = 0 then 0
            when stretches.in_bed_until is null then 1
            when date_diff('millisecond', stretches.in_bed_until, stretches.started_at) > episode_gap.gap_min * 60000 then 1
            else 0
        end as follows_gap

    from stretches
    cross join episode_gap

),

-- A date that is slept through from the date before into the date after would tie episodes together without end, and a
-- night could not be built from the days about it. Such a date begins an episode of its own.
dates as (

    select
        user_id,
        device_id,
        local_date,
        min(started_at) as first_started_at,
        max(follows_gap) as has_gap,
        max(case when date_rank = 1 then follows_gap end) as begins_with_gap

    from (
        select
            gaps.*,
            row_number() over (partition by user_id, device_id, local_date order by started_at) as date_rank

        from gaps

        where is_in_bed = 1
    ) as ranked

    group by user_id, device_id, local_date

),

neighbouring_dates as (

    select
        dates.*,
        lead(begins_with_gap) over (partition by user_id, device_id order by local_date) as next_begins_with_gap

    from dates

),

slept_through as (

    select
        user_id,
        device_id,
        first_started_at,
        1 as is_in_bed

    from neighbouring_dates

    where
        has_gap = 0
        and next_begins_with_gap = 0

),

numbered as (

    select
        gaps.*,
        sum(case when gaps.follows_gap = 1 or slept_through.user_id is not null then 1 else 0 end) over (
            partition by gaps.user_id, gaps.device_id
            order by gaps.started_at
            rows unbounded preceding
        ) as episode_number

    from gaps
    left join slept_through
        on gaps.user_id = slept_through.user_id
        and gaps.device_id = slept_through.device_id
        and gaps.started_at = slept_through.first_started_at
        and gaps.is_in_bed = slept_through.is_in_bed

),

bounded as (

    select
        numbered.*,
        min(case when is_in_bed = 1 then started_at end) over (
            partition by user_id, device_id, episode_number
        ) as episode_started_at,
        max(case when is_in_bed = 1 then ended_at end) over (
            partition by user_id, device_id, episode_number
        ) as episode_ended_at

    from numbered

),

episode_stretches as (

    select
        user_id,                -- person
        device_id,              -- device that told it
        source_rank,            -- 1 native, 2 import, 3 manual: lower is preferred
        episode_started_at,     -- start of the episode, UTC: with person and device, its name
        episode_ended_at,       -- end of the episode, UTC
        started_at,             -- start of the stretch, UTC
        ended_at,               -- end of the stretch, UTC
        segment_start_at,       -- start of the segment it is a part of
        start_utc_offset_min,   -- min east of UTC at the segment's start, as recorded
        end_utc_offset_min,     -- min east of UTC at the segment's end, as recorded
        local_date,             -- the person's date at the segment's end
        ended_date,             -- the person's date at the stretch's end
        stage,                  -- awake, light, deep, rem, asleep, out_of_bed or unknown
        case when stage in ('light', 'deep', 'rem', 'asleep') then 1 else 0 end
            as is_asleep,       -- 1 asleep, 0 not
        case when stage in ('awake', 'out_of_bed') then 1 else 0 end
            as is_awake,        -- 1 awake, 0 not; a stretch of unknown state is neither
        date_diff('millisecond', started_at, ended_at)
            as duration_ms      -- ms

    from bounded

    where
        started_at >= episode_started_at
        and ended_at <= episode_ended_at

)

select * from episode_stretches
