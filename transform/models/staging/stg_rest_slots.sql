-- stg_rest_slots: what tells rest from unrest, by slots of five minutes, in the hours in which rest can be.
--
-- grain:    user_id, search_date, slot_number
-- inputs:   stg_rest_series, stg_rest_hours, rest_searches
-- build:    view
-- caution:  five minutes without a single heart rate have no slot: nobody knows that the watch was worn; hours whose heart
--           rate is never below the threshold of their search have none either

with

hours_of_searches as (

    select
        rest_searches.user_id,
        rest_searches.search_date,
        rest_searches.motion_still_count,
        stg_rest_hours.local_date,
        stg_rest_hours.hour_at,
        stg_rest_hours.utc_offset_min

    from rest_searches
    inner join stg_rest_hours
        on rest_searches.user_id = stg_rest_hours.user_id
        and rest_searches.search_date = stg_rest_hours.local_date

    where
        stg_rest_hours.local_minute < rest_searches.day_cut_min
        and stg_rest_hours.heart_rate_min_bpm < rest_searches.heart_rate_median_bpm

    union all

    select
        rest_searches.user_id,
        rest_searches.search_date,
        rest_searches.motion_still_count,
        stg_rest_hours.local_date,
        stg_rest_hours.hour_at,
        stg_rest_hours.utc_offset_min

    from rest_searches
    inner join stg_rest_hours
        on rest_searches.user_id = stg_rest_hours.user_id
        and rest_searches.search_date - 1 = stg_rest_hours.local_date

    where
        stg_rest_hours.local_minute >= rest_searches.day_cut_min
        and stg_rest_hours.heart_rate_min_bpm < rest_searches.heart_rate_median_bpm

),

samples as (

    select
        hours_of_searches.user_id,
        hours_of_searches.search_date,
        hours_of_searches.local_date,
        hours_of_searches.utc_offset_min,
        hours_of_searches.motion_still_count,
        stg_rest_series.metric,
        epoch_us(stg_rest_series.hour_at) // 300000000 as first_slot,
        stg_rest_series.period_ms,
        stg_rest_series.first_offset_ms,
        unnest(stg_rest_series.offsets_ms) as own_offset_ms,
        generate_subscripts(stg_rest_series.sample_values, 1) - 1 as sample_index,
        unnest(stg_rest_series.sample_values) as value

    from stg_rest_series
    inner join hours_of_searches
        on stg_rest_series.user_id = hours_of_searches.user_id
        and stg_rest_series.local_date = hours_of_searches.local_date
        and stg_rest_series.hour_at = hours_of_searches.hour_at
        and stg_rest_series.utc_offset_min = hours_of_searches.utc_offset_min

),

slots as (

    select
        user_id,                    -- person
        search_date,                -- the search it belongs to: person and date name a row of rest_searches
        first_slot + cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint) // 300000
            as slot_number,         -- slots of five minutes since 1970-01-01 UTC
        min(local_date)
            as local_date,          -- the person's date
        min(utc_offset_min)
            as utc_offset_min,      -- min east of UTC, as recorded
        cast(sum(case when metric = 'heart_rate' then value end) as bigint)
            as heart_rate_sum_bpm,  -- beats/min, sum of the samples
        sum(case when metric = 'heart_rate' then 1 else 0 end)::bigint
            as heart_rate_count,    -- samples of heart rate
        sum(case when metric = 'steps' then 1 else 0 end)::bigint
            as step_sample_count,   -- samples of steps
        sum(case when metric = 'steps' and value > 0 then 1 else 0 end)::bigint
            as walking_sample_count, -- samples of them with a step
        sum(case when metric = 'motion_count' then 1 else 0 end)::bigint
            as motion_epoch_count,  -- epochs with a motion count
        sum(case when metric = 'motion_count' and value <= motion_still_count then 1 else 0 end)::bigint
            as still_epoch_count    -- epochs of them at or below the search's threshold

    from samples

    group by
        user_id,
        search_date,
        first_slot + cast(coalesce(own_offset_ms, first_offset_ms + sample_index * period_ms) as bigint) // 300000

    having sum(case when metric = 'heart_rate' then 1 else 0 end) > 0

)

select * from slots
