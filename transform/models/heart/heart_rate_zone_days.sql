-- heart_rate_zone_days: one row per person, date and zone system: the time in each heart-rate zone.
--
-- grain:    user_id, local_date, zone_system
-- inputs:   stg_heart_rate_held, heart_rate_max_days, resting_heart_rate_baselines, definitions
-- build:    table
-- source:   zones from 50, 60, 70, 80 and 90 % of the highest heart rate (max), or of the reserve above rest after Karvonen
--           1957 (reserve), lower bounds included, by what held on the date (methods 2.3, product rule H5); a sample counts
--           until the next (methods 2.4)
-- audit:    zone_system in ('max', 'reserve')
-- audit:    covered_s = below_zones_s + zone_1_s + zone_2_s + zone_3_s + zone_4_s + zone_5_s
-- audit:    uncovered_s >= 0
-- audit:    zone_1_from_bpm < zone_5_from_bpm
-- audit:    (zone_system = 'reserve') = (resting_heart_rate_bpm is not null)
-- caution:  the bounds are as uncertain as the highest heart rate they are made of; the time in no zone is rest, or was not
--           measured
-- method:   heart_rate_zone_days/1

with

rules as (

    select
        max(case when name = 'heart_rate_zone_1_pct' then value end) as zone_1_pct,
        max(case when name = 'heart_rate_zone_2_pct' then value end) as zone_2_pct,
        max(case when name = 'heart_rate_zone_3_pct' then value end) as zone_3_pct,
        max(case when name = 'heart_rate_zone_4_pct' then value end) as zone_4_pct,
        max(case when name = 'heart_rate_zone_5_pct' then value end) as zone_5_pct

    from definitions

),

systems as (

    select
        heart_rate_max_days.user_id,
        heart_rate_max_days.local_date,
        'max' as zone_system,
        heart_rate_max_days.heart_rate_max_bpm,
        heart_rate_max_days.heart_rate_max_source,
        cast(null as double) as resting_heart_rate_bpm,
        cast(0 as double) as from_bpm

    from heart_rate_max_days
    inner join dirty_days
        on heart_rate_max_days.user_id = dirty_days.user_id
        and heart_rate_max_days.local_date = dirty_days.local_date

    union all

    -- A day's rest varies, the usual rest does not; before there is a usual one, the day's has to do.
    select
        heart_rate_max_days.user_id,
        heart_rate_max_days.local_date,
        'reserve' as zone_system,
        heart_rate_max_days.heart_rate_max_bpm,
        heart_rate_max_days.heart_rate_max_source,
        coalesce(
            resting_heart_rate_baselines.baseline_bpm, resting_heart_rate_baselines.resting_heart_rate_bpm
        ) as resting_heart_rate_bpm,
        coalesce(
            resting_heart_rate_baselines.baseline_bpm, resting_heart_rate_baselines.resting_heart_rate_bpm
        ) as from_bpm

    from heart_rate_max_days
    inner join dirty_days
        on heart_rate_max_days.user_id = dirty_days.user_id
        and heart_rate_max_days.local_date = dirty_days.local_date
    inner join resting_heart_rate_baselines
        on heart_rate_max_days.user_id = resting_heart_rate_baselines.user_id
        and heart_rate_max_days.local_date = resting_heart_rate_baselines.local_date

),

bounds as (

    select
        systems.*,
        systems.from_bpm + rules.zone_1_pct * (systems.heart_rate_max_bpm - systems.from_bpm) / 100 as zone_1_from_bpm,
        systems.from_bpm + rules.zone_2_pct * (systems.heart_rate_max_bpm - systems.from_bpm) / 100 as zone_2_from_bpm,
        systems.from_bpm + rules.zone_3_pct * (systems.heart_rate_max_bpm - systems.from_bpm) / 100 as zone_3_from_bpm,
        systems.from_bpm + rules.zone_4_pct * (systems.heart_rate_max_bpm - systems.from_bpm) / 100 as zone_4_from_bpm,
        systems.from_bpm + rules.zone_5_pct * (systems.heart_rate_max_bpm - systems.from_bpm) / 100 as zone_5_from_bpm

    from systems
    cross join rules

    -- Rest at the highest rate leaves no reserve to divide.
    where systems.heart_rate_max_bpm > systems.from_bpm

),

zone_sums as (

    select
        bounds.user_id,
        bounds.local_date,
        bounds.zone_system,
        sum(stg_heart_rate_held.held_ms) as covered_ms,
        max(stg_heart_rate_held.span_ms) as span_ms,
        sum(
            case
                when
                    stg_heart_rate_held.heart_rate_bpm >= bounds.zone_1_from_bpm
                    and stg_heart_rate_held.heart_rate_bpm < bounds.zone_2_from_bpm
                    then stg_heart_rate_held.held_ms
                else 0
            end
        ) as zone_1_ms,
        sum(
            case
                when
                    stg_heart_rate_held.heart_rate_bpm >= bounds.zone_2_from_bpm
                    and stg_heart_rate_held.heart_rate_bpm < bounds.zone_3_from_bpm
                    then stg_heart_rate_held.held_ms
                else 0
            end
        ) as zone_2_ms,
        sum(
            case
                when
                    stg_heart_rate_held.heart_rate_bpm >= bounds.zone_3_from_bpm
                    and stg_heart_rate_held.heart_rate_bpm < bounds.zone_4_from_bpm
                    then stg_heart_rate_held.held_ms
                else 0
            end
        ) as zone_3_ms,
        sum(
            case
                when
                    stg_heart_rate_held.heart_rate_bpm >= bounds.zone_4_from_bpm
                    and stg_heart_rate_held.heart_rate_bpm < bounds.zone_5_from_bpm
                    then stg_heart_rate_held.held_ms
                else 0
            end
        ) as zone_4_ms,
        sum(
            case
                when
                    stg_heart_rate_held.heart_rate_bpm >= bounds.zone_5_from_bpm
                    then stg_heart_rate_held.held_ms
                else 0
            end
        ) as zone_5_ms

    from bounds
    inner join stg_heart_rate_held
        on bounds.user_id = stg_heart_rate_held.user_id
        and bounds.local_date = stg_heart_rate_held.local_date

    group by bounds.user_id, bounds.local_date, bounds.zone_system

),

zone_seconds as (

    select
        user_id,
        local_date,
        zone_system,
        covered_ms,
        span_ms,
        cast(floor(zone_1_ms / 1000) as bigint) as zone_1_s,
        cast(floor(zone_2_ms / 1000) as bigint) as zone_2_s,
        cast(floor(zone_3_ms / 1000) as bigint) as zone_3_s,
        cast(floor(zone_4_ms / 1000) as bigint) as zone_4_s,
        cast(floor(zone_5_ms / 1000) as bigint) as zone_5_s,
        cast(floor(covered_ms / 1000) as bigint) as covered_s

    from zone_sums

),

days as (

    select
        bounds.user_id,                 -- person
        bounds.local_date,              -- the person's date
        bounds.zone_system,             -- max: of the highest heart rate; reserve: of what lies between rest and it
        bounds.heart_rate_max_bpm,      -- beats/min, the highest heart rate as of the date
        bounds.heart_rate_max_source,   -- age, told or observed
        bounds.resting_heart_rate_bpm,  -- beats/min, rest as of the date; null in the system max
        bounds.zone_1_from_bpm,        -- beats/min, lower bound, included
        bounds.zone_2_from_bpm,        -- beats/min, lower bound, included
        bounds.zone_3_from_bpm,        -- beats/min, lower bound, included
        bounds.zone_4_from_bpm,        -- beats/min, lower bound, included
        bounds.zone_5_from_bpm,        -- beats/min, lower bound, included
        zone_seconds.covered_s
            - zone_seconds.zone_1_s - zone_seconds.zone_2_s - zone_seconds.zone_3_s - zone_seconds.zone_4_s - zone_seconds.zone_5_s
            as below_zones_s,           -- s below zone 1
        zone_seconds.zone_1_s,          -- s in zone 1
        zone_seconds.zone_2_s,          -- s in zone 2
        zone_seconds.zone_3_s,          -- s in zone 3
        zone_seconds.zone_4_s,          -- s in zone 4
        zone_seconds.zone_5_s,          -- s in zone 5 and above
        zone_seconds.covered_s,         -- s in which the rate was seen
        cast(floor(greatest(0, zone_seconds.span_ms - zone_seconds.covered_ms) / 1000) as bigint)
            as uncovered_s,             -- s between the date's first and last sample in which it was not
        'heart_rate_zone_days/1'
            as method_version           -- formula of this row

    from bounds
    inner join zone_seconds
        on bounds.user_id = zone_seconds.user_id
        and bounds.local_date = zone_seconds.local_date
        and bounds.zone_system = zone_seconds.zone_system

)

select * from days
