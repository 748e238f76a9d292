-- workout_summaries: one row per workout as a device recorded it, in figures, and whether it is the one that counts.
--
-- grain:    user_id, local_date, device_id, workout_id
-- inputs:   stg_workouts, workout_measures, workout_limit_days, definitions
-- build:    table
-- lookback: 1 days around
-- reach:    1 days around
-- source:   distance: positions that cover the workout, else the device's figure, else its distances in time, else what
--           positions there are, else steps x stride (methods 3.1, 3.6); of recordings of one workout the device's own
--           before an import before what was typed, then the one with positions, then the longer one (product rule W7)
-- audit:    duration_s > 0
-- audit:    distance_source in ('gps', 'device', 'track', 'gps_partial', 'stride')
-- audit:    (distance_m is null) = (distance_source is null)
-- audit:    is_counted = (counted_device_id is null)
-- audit:    moving_s is null or moving_s between 0 and duration_s + 1
-- audit:    heart_rate_source in ('track', 'minutes', 'device')
-- caution:  a total of counted workouts is a total; one of all rows counts an hour twice that two devices recorded. Energy is
--           the device's own; a stride differs from person to person by a tenth and more
-- method:   workout_summaries/1

with

rules as (

    select
        max(case when name = 'track_covered_min_pct' then value end) as covered_min_pct,
        max(case when name = 'track_left_out_max_pct' then value end) as left_out_max_pct,
        max(case when name = 'workout_same_overlap_pct' then value end) as same_overlap_pct,
        max(case when name = 'workout_same_distance_pct' then value end) as same_distance_pct,
        max(case when name = 'stride_of_height_female' then value end) as stride_female,
        max(case when name = 'stride_of_height_male' then value end) as stride_male

    from definitions

),

measured as (

    select
        stg_workouts.*,
        (stg_workouts.ended_us - stg_workouts.started_us) / 1000000.0 as duration_s,
        workout_measures.fix_count,
        workout_measures.fix_left_out_count,
        workout_measures.gps_distance_m,
        workout_measures.gps_covered_pct,
        workout_measures.gap_count,
        workout_measures.longest_gap_s,
        workout_measures.track_distance_m,
        workout_measures.moving_s as track_moving_s,
        workout_measures.pause_count,
        workout_measures.paused_s,
        workout_measures.elevation_gain_m as track_elevation_gain_m,
        workout_measures.elevation_loss_m,
        workout_measures.heart_rate_source as measured_heart_rate_source,
        workout_measures.heart_rate_mean_bpm,
        workout_measures.heart_rate_max_bpm,
        workout_measures.heart_rate_covered_s,
        workout_measures.zone_1_s,
        workout_measures.zone_2_s,
        workout_measures.zone_3_s,
        workout_measures.zone_4_s,
        workout_measures.zone_5_s,
        workout_measures.edwards_trimp,
        workout_measures.trimp,
        workout_measures.swim_length_count,
        workout_measures.swolf_mean,
        case
            when workout_measures.gps_covered_pct >= rules.covered_min_pct then 'gps'
            when stg_workouts.device_distance_m is not null then 'device'
            when workout_measures.track_distance_m is not null then 'track'
            when workout_measures.gps_distance_m is not null then 'gps_partial'
            when
                stg_workouts.sport_family in ('run', 'walk') and stg_workouts.step_count is not null
                and workout_limit_days.body_height_mm is not null then 'stride'
        end as distance_source,
        stg_workouts.step_count * workout_limit_days.body_height_mm / 1000.0 * case workout_limit_days.sex
            when 'female' then rules.stride_female
            when 'male' then rules.stride_male
            else (rules.stride_female + rules.stride_male) / 2
        end as stride_distance_m,
        coalesce(
            workout_measures.gps_covered_pct >= rules.covered_min_pct
            and workout_measures.gap_count = 0
            and workout_measures.fix_left_out_count * 100 <= rules.left_out_max_pct
            * (workout_measures.fix_count + workout_measures.fix_left_out_count),
            false
        ) as is_clean_track,
        workout_limit_days.zone_system,
        rules.same_overlap_pct,
        rules.same_distance_pct

    from stg_workouts
    cross join rules
    left join workout_measures
        on stg_workouts.user_id = workout_measures.user_id
        and stg_workouts.local_date = workout_measures.local_date
        and stg_workouts.device_id = workout_measures.device_id
        and stg_workouts.workout_id = workout_measures.workout_id
    left join workout_limit_days
        on stg_workouts.user_id = workout_limit_days.user_id
        and stg_workouts.local_date = workout_limit_days.local_date

),

with_distance as (

    select
        measured.*,
        case distance_source
            when 'gps' then gps_distance_m
            when 'device' then cast(device_distance_m as double)
            when 'track' then track_distance_m
            when 'gps_partial' then gps_distance_m
            when 'stride' then round(stride_distance_m, 0)
        end as distance_m,
        -- The place among recordings of one workout: every two of a person differ in it.
        row_number() over (
            partition by user_id
            order by
                source_rank,
                case when gps_distance_m is not null then 0 else 1 end,
                ended_us - started_us desc,
                local_date,
                device_id,
                workout_id
        ) as place

    from measured

),

-- Two recordings are of one workout when they share half of the shorter one, or overlap at all and agree in distance.
doubles as (

    select
        worse.user_id,
        worse.local_date,
        worse.device_id,
        worse.workout_id,
        better.device_id as counted_device_id,
        better.workout_id as counted_workout_id,
        row_number() over (
            partition by worse.user_id, worse.local_date, worse.device_id, worse.workout_id
            order by better.place
        ) as choice

    from with_distance as worse
    inner join with_distance as better
        on worse.user_id = better.user_id
        and better.local_date between worse.local_date - 1 and worse.local_date + 1
        and better.place < worse.place
        and better.started_us < worse.ended_us
        and worse.started_us < better.ended_us

    where
        (least(worse.ended_us, better.ended_us) - greatest(worse.started_us, better.started_us)) * 100.0
        >= worse.same_overlap_pct * least(worse.ended_us - worse.started_us, better.ended_us - better.started_us)
        or abs(worse.distance_m - better.distance_m) * 100.0
        <= worse.same_distance_pct * greatest(worse.distance_m, better.distance_m)

),

workouts_of_days as (

    select
        with_distance.user_id,              -- person
        with_distance.local_date,           -- the person's date at the start
        with_distance.device_id,            -- device or app that recorded it
        with_distance.workout_id,           -- the device's name of it
        with_distance.sport,                -- as the device calls it
        with_distance.sport_type,           -- our name of the kind, or the device's where we have none
        with_distance.sport_family,         -- what it is measured like: run, walk, ride, swim ...
        with_distance.setting,              -- outdoor, indoor, virtual or assisted; null = not known
        with_distance.source,               -- native, import or manual
        with_distance.started_at,           -- start, UTC
        with_distance.ended_at,             -- end, UTC
        with_distance.start_utc_offset_min, -- min east of UTC at the start, as recorded
        cast(with_distance.duration_s as double)
            as duration_s,                  -- s from start to end
        case
            when with_distance.track_moving_s is not null then with_distance.track_moving_s
            when with_distance.device_moving_s <= with_distance.duration_s then cast(with_distance.device_moving_s as double)
        end as moving_s,                    -- s without pauses, by the track or else by the device
        with_distance.pause_count,          -- rests of 5 s and more; null without a track
        with_distance.paused_s,             -- s of pauses; null without a track
        with_distance.distance_m,           -- m
        with_distance.distance_source,      -- gps, device (its total), track (its distances in time), gps_partial or stride
        with_distance.active_energy_kcal,   -- kcal beyond rest, by the device
        coalesce(with_distance.track_elevation_gain_m, cast(with_distance.device_elevation_gain_m as double))
            as elevation_gain_m,            -- m climbed, by the track or else by the device
        with_distance.elevation_loss_m,     -- m descended, by the track
        with_distance.step_count,           -- steps, by the device
        coalesce(with_distance.measured_heart_rate_source,
            case when with_distance.device_heart_rate_mean_bpm is not null then 'device' end)
            as heart_rate_source,           -- track, minutes (of the day) or device (its total)
        coalesce(with_distance.heart_rate_mean_bpm, cast(with_distance.device_heart_rate_mean_bpm as double))
            as heart_rate_mean_bpm,         -- beats/min, weighted by time
        coalesce(with_distance.heart_rate_max_bpm, cast(with_distance.device_heart_rate_max_bpm as bigint))
            as heart_rate_max_bpm,          -- beats/min
        with_distance.heart_rate_covered_s, -- s that a heart rate stood for
        with_distance.zone_system,          -- what zones are shares of: max = of the highest heart rate
        with_distance.zone_1_s,             -- s in zone 1
        with_distance.zone_2_s,             -- s in zone 2
        with_distance.zone_3_s,             -- s in zone 3
        with_distance.zone_4_s,             -- s in zone 4
        with_distance.zone_5_s,             -- s in zone 5
        with_distance.trimp,                -- training impulse, minute by minute
        with_distance.edwards_trimp,        -- min in each zone, weighted by its number
        with_distance.swim_length_count,    -- lengths of the pool with their strokes
        with_distance.swolf_mean,           -- s and strokes per length, mean
        with_distance.fix_count,            -- positions of the track
        with_distance.gps_covered_pct,      -- % of the workout without a gap between positions
        with_distance.gap_count,            -- times that positions were further apart than 10 s
        with_distance.longest_gap_s,        -- s, the longest time without a position
        with_distance.is_clean_track,       -- positions without gap, that cover the workout and can be
        doubles.user_id is null
            as is_counted,                  -- no better recording of the same workout is there
        doubles.counted_device_id,          -- device of the better recording
        doubles.counted_workout_id,         -- its name of it
        'workout_summaries/1'
            as method_version               -- formula of this row

    from with_distance
    inner join dirty_days
        on with_distance.user_id = dirty_days.user_id
        and with_distance.local_date = dirty_days.local_date
    left join doubles
        on with_distance.user_id = doubles.user_id
        and with_distance.local_date = doubles.local_date
        and with_distance.device_id = doubles.device_id
        and with_distance.workout_id = doubles.workout_id
        and doubles.choice = 1

)

select * from workouts_of_days
