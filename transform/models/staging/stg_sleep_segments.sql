-- stg_sleep_segments: what each device says of each stretch of time it calls sleep; stretches of a device never overlap.
--
-- grain:    user_id, device_id, started_at
-- inputs:   silver.sleep_segments, definitions
-- build:    view
-- source:   what a device says last of a moment is true; a segment of which later messages tell otherwise for 80 % or more
--           is superseded whole (product rule S6)
-- caution:  light = N1+N2; devices are kept apart, sleep_episodes chooses between them

with

segments as (

    select
        user_id,
        device_id,
        start_at,
        end_at,
        start_utc_offset_min,
        end_utc_offset_min,
        local_date,
        stage,
        source,
        revision,
        max(end_at) over (
            partition by user_id, device_id
            order by start_at, end_at
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before

    from silver.sleep_segments

),

clusters as (

    select
        *,
        sum(case when latest_end_before is null or start_at >= latest_end_before then 1 else 0 end) over (
            partition by user_id, device_id
            order by start_at, end_at
            rows unbounded preceding
        ) as cluster_number

    from segments

),

sized_clusters as (

    select
        *,
        count(*) over (partition by user_id, device_id, cluster_number) as cluster_size

    from clusters

),

-- A segment that nothing overlaps is a stretch as it is. The others are cut wherever one of them begins or ends.
contested as (

    select * from sized_clusters

    where cluster_size > 1

),

boundaries as (

    select user_id, device_id, cluster_number, start_at as cut_at from contested

    union

    select user_id, device_id, cluster_number, end_at as cut_at from contested

),

elementary_stretches as (

    select
        user_id,
        device_id,
        cluster_number,
        cut_at as started_at,
        lead(cut_at) over (partition by user_id, device_id, cluster_number order by cut_at) as ended_at

    from boundaries

),

claims as (

    select
        contested.*,
        elementary_stretches.started_at,
        elementary_stretches.ended_at,
        row_number() over (
            partition by contested.user_id, contested.device_id, contested.cluster_number, elementary_stretches.started_at
            order by
                contested.revision.device_epoch desc,
                contested.revision.seq desc,
                contested.revision.broker_at desc,
                contested.revision."partition" desc,
                contested.revision."offset" desc,
                contested.start_at desc
        ) as claim_rank

    from elementary_stretches
    inner join contested
        on elementary_stretches.user_id = contested.user_id
        and elementary_stretches.device_id = contested.device_id
        and elementary_stretches.cluster_number = contested.cluster_number
        and elementary_stretches.started_at >= contested.start_at
        and elementary_stretches.ended_at <= contested.end_at

),

-- What is left of a record that was sent anew with its ends moved is no sleep before the sleep or after it.
superseded as (

    select
        claims.user_id,
        claims.device_id,
        claims.start_at

    from claims
    inner join claims as winners
        on claims.user_id = winners.user_id
        and claims.device_id = winners.device_id
        and claims.cluster_number = winners.cluster_number
        and claims.started_at = winners.started_at
    cross join definitions

    where
        winners.claim_rank = 1
        and (
            winners.revision."partition" <> claims.revision."partition"
            or winners.revision."offset" <> claims.revision."offset"
        )
        and definitions.name = 'sleep_superseded_share'

    group by claims.user_id, claims.device_id, claims.start_at

    having
        sum(date_diff('millisecond', claims.started_at, claims.ended_at))
        >= max(definitions.value * date_diff('millisecond', claims.start_at, claims.end_at) / 100)

),

all_stretches as (

    select
        user_id,
        device_id,
        start_at as started_at,
        end_at as ended_at,
        start_at as segment_start_at,
        start_utc_offset_min,
        end_utc_offset_min,
        local_date,
        stage,
        source

    from sized_clusters

    where cluster_size = 1

    union all

    select
        user_id,
        device_id,
        started_at,
        ended_at,
        start_at as segment_start_at,
        start_utc_offset_min,
        end_utc_offset_min,
        local_date,
        stage,
        source

    from claims

    where
        claim_rank = 1
        and not exists (
            select 1
            from superseded
            where
                superseded.user_id = claims.user_id
                and superseded.device_id = claims.device_id
                and superseded.start_at = claims.start_at
        )

),

stretches as (

    select
        user_id,                -- person
        device_id,              -- device that told it
        started_at,             -- start, UTC
        ended_at,               -- end, UTC
        segment_start_at,       -- start of the segment it is a part of; with the device, the segment's name
        start_utc_offset_min,   -- min east of UTC at the segment's start, as recorded
        end_utc_offset_min,     -- min east of UTC at the segment's end, as recorded
        local_date,             -- the person's date at the segment's end
        cast(make_timestamp(epoch_us(ended_at) + cast(end_utc_offset_min as bigint) * 60000000) as date)
            as ended_date,      -- the person's date at the stretch's end
        stage,                  -- awake, light, deep, rem, asleep, out_of_bed or unknown
        case source when 'native' then 1 when 'import' then 2 else 3 end
            as source_rank      -- 1 native, 2 import, 3 manual: lower is preferred

    from all_stretches

)

select * from stretches
