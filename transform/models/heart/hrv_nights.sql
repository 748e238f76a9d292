-- hrv_nights: one row per person and night of known onset with beat-to-beat intervals in the main sleep.
--
-- grain:    user_id, night_date
-- inputs:   hrv_windows, sleep_nights, definitions
-- build:    table
-- lookback: 2 days
-- reach:    2 days
-- source:   median over the valid 5-minute windows that lie within the main sleep, at least 6 (methods 2.6, product rule H6)
-- audit:    hrv_rmssd_ms > 0
-- audit:    (hrv_rmssd_ms is null) = (window_count < 6)
-- audit:    (hrv_rmssd_ms is null) = (hrv_sdnn_ms is null)
-- audit:    artefact_pct between 0 and 100
-- caution:  RMSSD and SDNN are two statistics and never to be compared; one night varies more than it tells, a week tells.
--           A source's own figures are in hrv_reported_days and not mixed with these
-- method:   hrv_nights/1

with

rules as (

    select
        max(case when name = 'hrv_window_artefact_pct' then value end) as artefact_pct,
        max(case when name = 'hrv_window_covered_ms' then value end) as covered_ms,
        max(case when name = 'hrv_night_window_count' then value end) as window_count

    from definitions

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        sleep_nights.sleep_onset_at,
        sleep_nights.sleep_offset_at

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date

    where sleep_nights.sleep_onset_at is not null

),

-- The dates on which a night's runs may begin, one by one: joined by equal dates, nights do not meet all of the windows.
dates_of_nights as (

    select
        nights.*,
        nights.night_date as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 1 as local_date

    from nights

    union all

    select
        nights.*,
        nights.night_date - 2 as local_date

    from nights

),

-- Of several recordings of five minutes the one with the most of them counts.
windows as (

    select
        dates_of_nights.user_id,
        dates_of_nights.night_date,
        hrv_windows.beat_count,
        hrv_windows.artefact_count,
        hrv_windows.difference_count,
        hrv_windows.nn_covered_ms,
        hrv_windows.hrv_rmssd_ms,
        hrv_windows.hrv_sdnn_ms,
        row_number() over (
            partition by dates_of_nights.user_id, dates_of_nights.night_date, hrv_windows.window_start_at
            order by hrv_windows.nn_covered_ms desc, hrv_windows.device_id, hrv_windows.local_date
        ) as preference

    from dates_of_nights
    inner join hrv_windows
        on dates_of_nights.user_id = hrv_windows.user_id
        and dates_of_nights.local_date = hrv_windows.local_date
        and hrv_windows.window_start_at >= dates_of_nights.sleep_onset_at
        and hrv_windows.window_start_at + interval 5 minute <= dates_of_nights.sleep_offset_at

),

judged_windows as (

    select
        windows.*,
        windows.difference_count > 0
        and windows.nn_covered_ms >= rules.covered_ms
        and 100 * windows.artefact_count <= rules.artefact_pct * windows.beat_count as is_valid

    from windows
    cross join rules

    where windows.preference = 1

),

night_sums as (

    select
        user_id,
        night_date,
        count(*) filter (where is_valid) as window_count,
        count(*) as recorded_window_count,
        sum(beat_count) as beat_count,
        sum(artefact_count) as artefact_count,
        median(hrv_rmssd_ms) filter (where is_valid) as hrv_rmssd_ms,
        median(hrv_sdnn_ms) filter (where is_valid) as hrv_sdnn_ms

    from judged_windows

    group by user_id, night_date

),

hrv as (

    select
        night_sums.user_id,             -- person
        night_sums.night_date,          -- the person's date of waking
        case when night_sums.window_count >= rules.window_count then night_sums.hrv_rmssd_ms end
            as hrv_rmssd_ms,            -- ms, median RMSSD of the valid windows; null with fewer than 6
        case when night_sums.window_count >= rules.window_count then night_sums.hrv_sdnn_ms end
            as hrv_sdnn_ms,             -- ms, median 5-minute SDNN of the valid windows; null with fewer than 6
        cast(night_sums.window_count as integer)
            as window_count,            -- valid windows within the main sleep
        cast(night_sums.recorded_window_count as integer)
            as recorded_window_count,   -- windows within the main sleep that hold a beat
        100 * cast(night_sums.artefact_count as double) / cast(night_sums.beat_count as double)
            as artefact_pct,            -- % of the beats of those windows that were left out
        'hrv_nights/1'
            as method_version           -- formula of this row

    from night_sums
    cross join rules

)

select * from hrv
