-- stg_heart_rate_held: how long a person's heart kept each rate on a date: the date's histogram, which adds up over dates,
-- and with it how much of the date was measured.
--
-- grain:    user_id, local_date, heart_rate_bpm
-- inputs:   silver.series_hours, stg_heart_rate_sentinels, definitions
-- build:    view
-- keep:     build
-- go:       heart_rate_held
-- order:    user_id, local_date
-- source:   methods 2.4: time-weighted, of the valid samples of methods 2.1; of several devices the one that stands for the
--           minute
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   heart_rate_bpm integer: beats/min
-- output:   sample_count bigint: valid samples at the rate
-- output:   held_ms bigint: ms in which the rate was seen: each sample until the next, spot values for 120 s at most
-- output:   weight_ms bigint: ms for which the rate stands in means and percentiles: spot values for 900 s at most
-- output:   measured_min integer: of the date: min in which a valid sample starts
-- output:   refused_count bigint: of the date: samples left out, impossible, sentinels, or jumps
-- output:   date_length_min integer: of the date: min it had, by the first and last offset recorded on it
-- output:   span_ms bigint: of the date: ms from the first valid sample to the end of the last
-- caution:  a date is made of its own samples: the last one of an evening is not held over midnight

with

rules as (

    select
        max(case when name = 'heart_rate_lowest_bpm' then value end) as lowest_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as highest_bpm,
        max(case when name = 'heart_rate_jump_bpm_per_s' then value end) as jump_bpm_per_s,
        1000 * max(case when name = 'heart_rate_hold_s' then value end) as hold_ms,
        1000 * max(case when name = 'heart_rate_hold_dense_s' then value end) as hold_dense_ms,
        1000 * max(case when name = 'heart_rate_dense_gap_s' then value end) as dense_gap_ms,
        1000 * max(case when name = 'heart_rate_spot_hold_s' then value end) as spot_hold_ms,
        1000 * max(case when name = 'heart_rate_spot_own_s' then value end) as spot_own_ms

    from definitions

),

hours as (

    select
        series_hours.user_id,
        series_hours.local_date,
        series_hours.device_id,
        series_hours.metric,
        series_hours.source,
        series_hours.hour_at,
        series_hours.utc_offset_min,
        series_hours.period_ms,
        series_hours.offsets_ms,
        series_hours."values",
        stg_heart_rate_sentinels.sentinel_values,
        rules.*

    from silver.series_hours
    cross join rules
    left join stg_heart_rate_sentinels
        on series_hours.device_id = stg_heart_rate_sentinels.device_id

    where series_hours.metric = 'heart_rate'

)

select * from hours
