-- oxygen_desaturation_nights: one row per person and night with oxygen saturation measured at least every 3 s while asleep: how
-- often it sank.
--
-- grain:    user_id, night_date
-- inputs:   stg_night_dates, stg_oxygen_seconds, definitions
-- build:    table
-- lookback: 2 days
-- daily:    sleep_nights
-- dates:    stg_night_dates
-- reach:    2 days
-- source:   a drop is 10 s on end at least 3 % (ODI3) or 4 % (ODI4) below the highest value of the 60 s before each of them,
--           per hour of recording; of at least 4 hours (methods 4.1, E064)
-- audit:    drop_4_pct_count <= drop_3_pct_count
-- audit:    below_90_s <= recorded_s
-- audit:    (odi_3_per_h is null) = (odi_4_per_h is null)
-- caution:  definitions of the baseline differ between laboratories, ours is the highest of the minute before; a watch errs
--           by 2 to 4 %; this is no test for anything: "varied more than usual for you" is all it may be made to say
-- method:   oxygen_desaturation_nights/1

with

rules as (

    select
        max(case when name = 'oxygen_saturation_min_permille' then value end) as lowest,
        max(case when name = 'oxygen_saturation_low_permille' then value end) as low,
        max(case when name = 'oxygen_saturation_valid_min' then value end) as valid_min,
        max(case when name = 'desaturation_small_permille' then value end) as small_drop,
        max(case when name = 'desaturation_large_permille' then value end) as large_drop,
        max(case when name = 'desaturation_min_s' then value end) as drop_s

    from definitions

),

dates_of_nights as (

    select
        stg_night_dates.user_id,
        stg_night_dates.night_date,
        stg_night_dates.local_date,
        date_diff('second', timestamptz '1970-01-01 00:00:00+00', stg_night_dates.sleep_onset_at) as first_second,
        date_diff('second', timestamptz '1970-01-01 00:00:00+00', stg_night_dates.sleep_offset_at) as end_second

    from stg_night_dates
    inner join dirty_days
        on stg_night_dates.user_id = dirty_days.user_id
        and stg_night_dates.night_date = dirty_days.local_date

),

seconds as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        stg_oxygen_seconds.second_number,
        stg_oxygen_seconds.value,
        stg_oxygen_seconds.covered_s,
        max(stg_oxygen_seconds.value) over (
            partition by dates_of_nights.user_id, dates_of_nights.night_date
            order by stg_oxygen_seconds.second_number
            range between 60 preceding and 1 preceding
        ) as baseline

    from dates_of_nights
    inner join stg_oxygen_seconds
        on dates_of_nights.user_id = stg_oxygen_seconds.user_id
        and dates_of_nights.local_date = stg_oxygen_seconds.local_date
        and stg_oxygen_seconds.second_number >= dates_of_nights.first_second
        and stg_oxygen_seconds.second_number < dates_of_nights.end_second
    cross join rules

    where stg_oxygen_seconds.value >= rules.lowest

),

drops as (

    select
        seconds.user_id,
        seconds.night_date,
        seconds.second_number,
        seconds.covered_s,
        3 as drop_pct

    from seconds
    cross join rules

    where seconds.baseline - seconds.value >= rules.small_drop

    union all

    select
        seconds.user_id,
        seconds.night_date,
        seconds.second_number,
        seconds.covered_s,
        4 as drop_pct

    from seconds
    cross join rules

    where seconds.baseline - seconds.value >= rules.large_drop

),

marked_drops as (

    select
        drops.*,
        case
            when
                lag(second_number + covered_s) over (
                    partition by user_id, night_date, drop_pct order by second_number
                ) >= second_number
                then 0
            else 1
        end as begins_run

    from drops

),

numbered_drops as (

    select
        marked_drops.*,
        sum(begins_run) over (
            partition by user_id, night_date, drop_pct
            order by second_number
            rows unbounded preceding
        ) as run_number

    from marked_drops

),

runs as (

    select
        user_id,
        night_date,
        drop_pct,
        max(second_number + covered_s) - min(second_number) as run_s

    from numbered_drops

    group by user_id, night_date, drop_pct, run_number

),

run_nights as (

    select
        runs.user_id,
        runs.night_date,
        sum(case when runs.drop_pct = 3 then 1 else 0 end) as drop_3_pct_count,
        sum(case when runs.drop_pct = 4 then 1 else 0 end) as drop_4_pct_count

    from runs
    cross join rules

    where runs.run_s >= rules.drop_s

    group by runs.user_id, runs.night_date

),

recordings as (

    select
        seconds.user_id,
        seconds.night_date,
        sum(seconds.covered_s) as recorded_s,
        cast(sum(seconds.value * seconds.covered_s) as double) / sum(seconds.covered_s) / 10 as mean_pct,
        sum(case when seconds.value < rules.low then seconds.covered_s else 0 end) as below_90_s

    from seconds
    cross join rules

    group by seconds.user_id, seconds.night_date

),

-- Per hour, however short the recording was.
rates as (

    select
        recordings.user_id,
        recordings.night_date,
        recordings.recorded_s,
        recordings.mean_pct,
        recordings.below_90_s,
        coalesce(run_nights.drop_3_pct_count, 0) as drop_3_pct_count,
        coalesce(run_nights.drop_4_pct_count, 0) as drop_4_pct_count,
        3600 * cast(coalesce(run_nights.drop_3_pct_count, 0) as double) / recordings.recorded_s as drops_3_per_h,
        3600 * cast(coalesce(run_nights.drop_4_pct_count, 0) as double) / recordings.recorded_s as drops_4_per_h

    from recordings
    left join run_nights
        on recordings.user_id = run_nights.user_id
        and recordings.night_date = run_nights.night_date

),

recorded_nights as (

    select
        rates.user_id,              -- person
        rates.night_date,           -- the person's date of waking
        cast(rates.recorded_s as integer)
            as recorded_s,          -- s asleep with a valid value
        rates.mean_pct
            as oxygen_saturation_mean_pct,  -- %, mean over the recording
        cast(rates.below_90_s as integer)
            as below_90_s,          -- s below 90 %
        cast(rates.drop_3_pct_count as integer)
            as drop_3_pct_count,    -- drops of at least 3 %
        cast(rates.drop_4_pct_count as integer)
            as drop_4_pct_count,    -- drops of at least 4 %
        case when rates.recorded_s >= 60 * rules.valid_min then rates.drops_3_per_h end
            as odi_3_per_h,         -- drops of 3 % per hour; null with less than 4 hours
        case when rates.recorded_s >= 60 * rules.valid_min then rates.drops_4_per_h end
            as odi_4_per_h,         -- drops of 4 % per hour; null with less than 4 hours
        'oxygen_desaturation_nights/1'
            as method_version       -- formula of this row

    from rates
    cross join rules

)

select * from recorded_nights
