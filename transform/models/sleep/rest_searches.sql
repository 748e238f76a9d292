-- rest_searches: one row per person and 24 hours in which sleep can be looked for: what counts as rest in them.
--
-- grain:    user_id, search_date
-- inputs:   stg_rest_hours, sleep_day_cuts, sleep_episodes, definitions
-- build:    table
-- lookback: 1 days
-- reach:    1 days
-- source:   methods 1.3 without raw acceleration: 24 hours from one day cut to the next (noon, or the person's own), worn for
--           16 h; heart rate below the median of the hours, motion at most the person's own 10th percentile or 15 % of
--           their mean (Roenneberg 2015), whichever is more: counts have no unit that would give a fixed clamp
-- audit:    worn_min between 960 and 2880
-- audit:    heart_rate_median_bpm between 25 and 250
-- audit:    day_cut_min between 1 and 1440
-- caution:  not looked for in the 24 hours of a sleep that a device told of: what is quiet beside a recorded night is an
--           evening
-- method:   rest_searches/1

with

rules as (

    select
        cast(max(case when name = 'sleep_day_cut_min' then value end) as integer) as day_cut_min,
        max(case when name = 'rest_worn_min' then value end) as worn_min,
        max(case when name = 'rest_motion_percentile' then value end) as motion_percentile,
        max(case when name = 'rest_motion_mean_share' then value end) as motion_mean_share

    from definitions

),

told as (

    select distinct
        user_id,
        night_date

    from sleep_episodes

),

searches as (

    select
        dirty_days.user_id,
        dirty_days.local_date as search_date,
        coalesce(sleep_day_cuts.day_cut_min, rules.day_cut_min) as day_cut_min

    from dirty_days
    cross join rules
    left join sleep_day_cuts
        on dirty_days.user_id = sleep_day_cuts.user_id
        and dirty_days.local_date = sleep_day_cuts.local_date
    left join told
        on dirty_days.user_id = told.user_id
        and dirty_days.local_date = told.night_date

    where told.user_id is null

),

hours as (

    select
        searches.user_id,
        searches.search_date,
        searches.day_cut_min,
        stg_rest_hours.measured_min,
        stg_rest_hours.heart_rate_mean_bpm,
        stg_rest_hours.motion_count_sum,
        stg_rest_hours.motion_epoch_count,
        stg_rest_hours.motion_count_median

    from searches
    inner join stg_rest_hours
        on searches.user_id = stg_rest_hours.user_id
        and searches.search_date = stg_rest_hours.local_date

    where stg_rest_hours.local_minute < searches.day_cut_min

    union all

    select
        searches.user_id,
        searches.search_date,
        searches.day_cut_min,
        stg_rest_hours.measured_min,
        stg_rest_hours.heart_rate_mean_bpm,
        stg_rest_hours.motion_count_sum,
        stg_rest_hours.motion_epoch_count,
        stg_rest_hours.motion_count_median

    from searches
    inner join stg_rest_hours
        on searches.user_id = stg_rest_hours.user_id
        and searches.search_date - 1 = stg_rest_hours.local_date

    where stg_rest_hours.local_minute >= searches.day_cut_min

),

ranked as (

    select
        hours.*,
        row_number() over (partition by user_id, search_date order by heart_rate_mean_bpm) as heart_place,
        count(*) over (partition by user_id, search_date) as hour_count,
        row_number() over (
            partition by user_id, search_date
            order by case when motion_count_median is null then 1 else 0 end, motion_count_median
        ) as motion_place,
        count(motion_count_median) over (partition by user_id, search_date) as motion_hour_count

    from hours

),

figures as (

    select
        ranked.user_id,
        ranked.search_date,
        min(ranked.day_cut_min) as day_cut_min,
        sum(ranked.measured_min) as worn_min,
        (
            min(case when ranked.heart_place = ceil(ranked.hour_count / 2.0) then ranked.heart_rate_mean_bpm end)
            + min(case when ranked.heart_place = floor(ranked.hour_count / 2.0) + 1 then ranked.heart_rate_mean_bpm end)
        ) / 2 as heart_rate_median_bpm,
        greatest(
            min(case
                when ranked.motion_place = ceil(ranked.motion_hour_count * rules.motion_percentile / 100)
                    then ranked.motion_count_median
            end),
            cast(sum(ranked.motion_count_sum) as double) / nullif(sum(ranked.motion_epoch_count), 0)
            * min(rules.motion_mean_share) / 100
        ) as motion_still_count

    from ranked
    cross join rules

    group by ranked.user_id, ranked.search_date

),

found as (

    select
        figures.user_id,                -- person
        figures.search_date,            -- the date in which the 24 hours end, at the day cut
        figures.day_cut_min,            -- minute of the day at which they begin and end
        cast(figures.worn_min as integer)
            as worn_min,                -- min covered by heart rates
        figures.heart_rate_median_bpm,  -- beats/min, median of the hours' means: rest lies below
        cast(figures.motion_still_count as double)
            as motion_still_count,      -- counts per 30 s up to which an epoch is still; null = no motion measured
        'rest_searches/1'
            as method_version           -- formula of this row

    from figures
    cross join rules

    where figures.worn_min >= rules.worn_min

)

select * from found
