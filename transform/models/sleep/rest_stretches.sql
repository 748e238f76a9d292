-- rest_stretches: one row per person and 24 hours in which sleep can be looked for: when wrist and heart rested in them.
--
-- grain:    user_id, search_date
-- inputs:   stg_day_samples, stg_charging_slots, rest_searches
-- build:    table
-- lookback: 1 days
-- daily:    rest_searches
-- reach:    1 days
-- go:       rest_stretches
-- order:    user_id, search_date, local_date
-- output:   user_id varchar: person
-- output:   search_date date: the date in which the 24 hours end, at the day cut
-- output:   stretch_first_slots integer[]: slots of five minutes since 1970-01-01 UTC with which stretches begin; slots in none were not worn
-- output:   stretch_slot_counts integer[]: slots of each stretch
-- output:   stretch_kinds integer[]: 0 = unrest, 1 = rest by steps, for want of motion, 2 = rest by motion
-- output:   stretch_utc_offsets_min integer[]: min east of UTC in each stretch, as recorded
-- source:   methods 1.3 without raw acceleration, with the thresholds of rest_searches: worn, no step, still, heart rate below
--           the median, each over 5 min (steps and motion as medians, so that a turn in bed breaks no rest)
-- audit:    len(stretch_slot_counts) = len(stretch_first_slots)
-- audit:    list_min(stretch_slot_counts) >= 1
-- caution:  hours whose heart rate is never below the threshold count as not worn, and so do slots without a heart rate or on
--           the charger
-- method:   rest_stretches/1

with

searches as (

    select
        rest_searches.user_id,
        rest_searches.search_date,
        rest_searches.day_cut_min,
        rest_searches.heart_rate_median_bpm,
        rest_searches.motion_still_count

    from rest_searches
    inner join dirty_days
        on rest_searches.user_id = dirty_days.user_id
        and rest_searches.search_date = dirty_days.local_date

),

dates_of_searches as (

    select
        searches.*,
        searches.search_date as local_date

    from searches

    union all

    select
        searches.*,
        searches.search_date - 1 as local_date

    from searches

),

charging as (

    select
        searches.user_id,
        searches.search_date,
        array_agg(cast(stg_charging_slots.slot_number as integer)) as charging_slots

    from searches
    inner join stg_charging_slots
        on searches.user_id = stg_charging_slots.user_id
        and stg_charging_slots.local_date between searches.search_date - 1 and searches.search_date

    group by searches.user_id, searches.search_date

),

dates as (

    select
        dates_of_searches.user_id,
        dates_of_searches.search_date,
        dates_of_searches.local_date,
        cast(dates_of_searches.day_cut_min as double) as day_cut_min,
        cast(dates_of_searches.heart_rate_median_bpm as double) as heart_rate_median_bpm,
        dates_of_searches.motion_still_count,
        charging.charging_slots,
        stg_day_samples.rest_first_slots,
        stg_day_samples.rest_utc_offsets_min,
        stg_day_samples.rest_heart_rate_mins_bpm,
        stg_day_samples.rest_slot_heart_rate_sums_bpm,
        stg_day_samples.rest_slot_heart_rate_counts,
        stg_day_samples.rest_slot_step_sample_counts,
        stg_day_samples.rest_slot_walking_sample_counts,
        stg_day_samples.rest_slot_motion_epoch_counts,
        stg_day_samples.rest_slot_motion_medians

    from stg_day_samples
    inner join dates_of_searches
        on stg_day_samples.user_id = dates_of_searches.user_id
        and stg_day_samples.local_date = dates_of_searches.local_date
    left join charging
        on dates_of_searches.user_id = charging.user_id
        and dates_of_searches.search_date = charging.search_date

    where stg_day_samples.rest_first_slots is not null

)

select * from dates
