-- hrv_windows: one row per person, date, device and five minutes with beat-to-beat intervals: how much they vary.
--
-- grain:    user_id, local_date, device_id, window_start_at
-- inputs:   stg_rr_runs
-- build:    table
-- go:       hrv_windows
-- order:    user_id, local_date, device_id, started_ms
-- output:   user_id varchar: person
-- output:   local_date date: the person's date when the run began that the intervals are of
-- output:   device_id varchar: device that recorded the intervals
-- output:   window_start_at timestamp with time zone: UTC, a whole multiple of 5 min
-- output:   beat_count integer: intervals that end in the window
-- output:   artefact_count integer: intervals left out, impossible ones and those bent by a faulty beat
-- output:   difference_count integer: differences between neighbouring intervals of which neither was left out
-- output:   nn_covered_ms integer: ms, sum of the normal intervals (NN)
-- output:   nn_mean_ms double: ms, mean normal interval; null when there is none
-- output:   hrv_rmssd_ms double: ms, root mean square of the differences; null when there is none
-- output:   hrv_sdnn_ms double: ms, standard deviation of the normal intervals; null with fewer than two
-- output:   hrv_pnn50_pct double: %, share of the differences of more than 50 ms; null when there is none
-- source:   time domain after the Task Force 1996, artefacts after Lipponen and Tarvainen 2019 (methods 2.6); from intervals
--           alone, never from a series of beats per minute
-- audit:    beat_count > 0 and artefact_count between 0 and beat_count
-- audit:    difference_count between 0 and beat_count
-- audit:    hrv_pnn50_pct between 0 and 100
-- audit:    nn_mean_ms between 300 and 2000
-- caution:  every window is here, also one with too few beats or too many artefacts to say anything; by light at the wrist
--           it is the pulse that varies, which is the heart only at rest
-- method:   hrv_windows/1

with

runs as (

    select
        stg_rr_runs.user_id,
        stg_rr_runs.local_date,
        stg_rr_runs.device_id,
        stg_rr_runs.started_ms,
        stg_rr_runs.intervals_ms

    from stg_rr_runs
    inner join dirty_days
        on stg_rr_runs.user_id = dirty_days.user_id
        and stg_rr_runs.local_date = dirty_days.local_date

)

select * from runs
