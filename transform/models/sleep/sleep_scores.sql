-- sleep_scores: one row per person and night: an open score with its parts, and how the night lies in published ranges.
--
-- grain:    user_id, night_date
-- inputs:   sleep_nights, sleep_habits, sleep_needs, daily_summaries, definitions
-- build:    table
-- source:   open composite (methods 1.9 point 3) with the range of duration for the age (methods 1.8): duration 40, bedtime
--           against the 14-night median 20, interruptions 20, stages 10; indicators of Ohayon 2017; points after the
--           cut-offs of Buysse 1989 for duration, efficiency and latency
-- audit:    sleep_score between 0 and 100
-- audit:    duration_score between 0 and 100 and timing_score between 0 and 100
-- audit:    continuity_score between 0 and 100 and stage_score between 0 and 100
-- audit:    (sleep_score is null) = (duration_score is null or timing_score is null or continuity_score is null)
-- audit:    nsf_in_range_count between 0 and nsf_measured_count
-- audit:    nsf_measured_count between 0 and 4
-- audit:    objective_points between 0 and 9
-- audit:    duration_band in ('below', 'near_below', 'recommended', 'near_above', 'above')
-- caution:  a choice of engineering, not clinically validated; null when duration, bedtime or interruptions are not known,
--           never 0; stages weigh half of what the composite gave them and only when a device told them, for staging of a
--           wrist is off by 30 to 45 min. The objective points are no questionnaire. The device's own score stands beside
--           ours and is never mixed with it
-- method:   sleep_scores/1

with

rules as (

    select
        max(case when name = 'score_duration_weight' then value end) as duration_weight,
        max(case when name = 'score_stage_weight' then value end) as stage_weight,
        max(case when name = 'score_timing_weight' then value end) as timing_weight,
        max(case when name = 'score_continuity_weight' then value end) as continuity_weight,
        max(case when name = 'score_short_slope' then value end) as short_slope,
        max(case when name = 'score_short_middle_min' then value end) as short_middle_min,
        max(case when name = 'score_long_slope' then value end) as long_slope,
        max(case when name = 'score_long_middle_min' then value end) as long_middle_min,
        max(case when name = 'score_long_floor' then value end) as long_floor,
        max(case when name = 'score_stage_target_min' then value end) as stage_target_min,
        max(case when name = 'score_timing_grace_min' then value end) as timing_grace_min,
        max(case when name = 'score_timing_window_min' then value end) as timing_window_min,
        max(case when name = 'score_timing_early_penalty_max' then value end) as early_penalty_max,
        max(case when name = 'score_waso_grace_min' then value end) as waso_grace_min,
        max(case when name = 'score_waso_window_min' then value end) as waso_window_min,
        max(case when name = 'score_waso_points' then value end) as waso_points,
        max(case when name = 'score_awakening_points' then value end) as awakening_points,
        max(case when name = 'nsf_latency_max_min' then value end) as nsf_latency_max_min,
        max(case when name = 'nsf_long_awakening_max_count' then value end) as nsf_awakening_max,
        max(case when name = 'nsf_long_awakening_max_count_65' then value end) as nsf_awakening_max_65,
        max(case when name = 'nsf_waso_max_min' then value end) as nsf_waso_max_min,
        max(case when name = 'nsf_waso_max_min_65' then value end) as nsf_waso_max_min_65,
        max(case when name = 'nsf_efficiency_min_pct' then value end) as nsf_efficiency_min_pct,
        max(case when name = 'nsf_age_65' then value end) as age_65

    from definitions

),

device_scores as (

    select
        user_id,
        local_date,
        value as device_sleep_score,
        row_number() over (
            partition by user_id, local_date
            order by case source when 'native' then 1 when 'import' then 2 else 3 end, device_id
        ) as preference

    from daily_summaries

    where metric = 'sleep_score'

),

nights as (

    select
        sleep_nights.user_id,
        sleep_nights.night_date,
        sleep_nights.source,
        sleep_nights.total_sleep_time_min,
        sleep_nights.sleep_onset_latency_min,
        sleep_nights.wake_after_sleep_onset_min,
        sleep_nights.sleep_efficiency_pct,
        sleep_nights.long_awakening_count,
        sleep_nights.deep_min,
        sleep_nights.rem_min,
        sleep_needs.age_years,
        sleep_needs.recommended_low_min,
        sleep_needs.recommended_high_min,
        device_scores.device_sleep_score, -- How much later than usual, the short way round the clock.
        mod(
            date_diff('minute', timestamptz '1970-01-01 00:00:00+00', sleep_nights.sleep_onset_at)
            + sleep_nights.onset_utc_offset_min, 1440
        ) - sleep_habits.habitual_onset_minute as unwrapped_delay_min

    from sleep_nights
    inner join dirty_days
        on sleep_nights.user_id = dirty_days.user_id
        and sleep_nights.night_date = dirty_days.local_date
    left join sleep_habits
        on sleep_nights.user_id = sleep_habits.user_id
        and sleep_nights.night_date = sleep_habits.night_date
    left join sleep_needs
        on sleep_nights.user_id = sleep_needs.user_id
        and sleep_nights.night_date = sleep_needs.night_date
    left join device_scores
        on sleep_nights.user_id = device_scores.user_id
        and sleep_nights.night_date = device_scores.local_date
        and device_scores.preference = 1

),

delays as (

    select
        nights.*,
        (unwrapped_delay_min + 2160) - floor((unwrapped_delay_min + 2160) / 1440) * 1440 - 720 as delay_min

    from nights

),

parts as (

    select
        delays.*,
        case
            when total_sleep_time_min is null or recommended_low_min is null then null
            when total_sleep_time_min < recommended_low_min
                then 100 / (1 + exp(
                    -rules.short_slope * (total_sleep_time_min - recommended_low_min + rules.short_middle_min) / 60
                ))
            when total_sleep_time_min > recommended_high_min
                then greatest(rules.long_floor, 100 / (1 + exp(
                    rules.long_slope * (total_sleep_time_min - recommended_high_min - rules.long_middle_min) / 60
                )))
            else 100.0
        end as duration_score,
        case
            when source = 'segments' and deep_min is not null and rem_min is not null
                then 50 * (
                    least(1.0, deep_min / rules.stage_target_min) + least(1.0, rem_min / rules.stage_target_min)
                )
        end as stage_score,
        case
            when delay_min is null then null
            when delay_min < 0
                then 100 - least(
                    rules.early_penalty_max,
                    100 * greatest(0.0, -delay_min - rules.timing_grace_min) / rules.timing_window_min
                )
            else 100 * greatest(0.0, 1 - greatest(0.0, delay_min - rules.timing_grace_min) / rules.timing_window_min)
        end as timing_score,
        case
            when wake_after_sleep_onset_min is null or long_awakening_count is null then null
            else rules.waso_points * greatest(
                0.0,
                1 - greatest(0.0, wake_after_sleep_onset_min - rules.waso_grace_min) / rules.waso_window_min
            )
            + rules.awakening_points * case
                when long_awakening_count <= 1 then 1
                when long_awakening_count = 2 then 0.75
                when long_awakening_count = 3 then 0.5
                else 0
            end
        end as continuity_score,
        case when sleep_onset_latency_min <= rules.nsf_latency_max_min then 1
            when sleep_onset_latency_min is not null then 0 end as is_latency_in_range,
        case
            when long_awakening_count
                <= case when age_years >= rules.age_65 then rules.nsf_awakening_max_65 else rules.nsf_awakening_max end
                then 1
            when long_awakening_count is not null then 0
        end as is_awakening_in_range,
        case
            when wake_after_sleep_onset_min
                <= case when age_years >= rules.age_65 then rules.nsf_waso_max_min_65 else rules.nsf_waso_max_min end
                then 1
            when wake_after_sleep_onset_min is not null then 0
        end as is_waso_in_range,
        case when sleep_efficiency_pct >= rules.nsf_efficiency_min_pct then 1
            when sleep_efficiency_pct is not null then 0 end as is_efficiency_in_range,
        case
            when total_sleep_time_min is null then null
            when total_sleep_time_min > 420 then 0
            when total_sleep_time_min >= 360 then 1
            when total_sleep_time_min >= 300 then 2
            else 3
        end as duration_points,
        case
            when sleep_efficiency_pct is null then null
            when sleep_efficiency_pct >= 85 then 0
            when sleep_efficiency_pct >= 75 then 1
            when sleep_efficiency_pct >= 65 then 2
            else 3
        end as efficiency_points,
        case
            when sleep_onset_latency_min is null then null
            when sleep_onset_latency_min <= 15 then 0
            when sleep_onset_latency_min <= 30 then 1
            when sleep_onset_latency_min <= 60 then 2
            else 3
        end as latency_points,
        rules.duration_weight,
        rules.stage_weight,
        rules.timing_weight,
        rules.continuity_weight

    from delays
    cross join rules

),

scores as (

    select
        user_id,                        -- person
        night_date,                     -- the person's date of waking
        (
            duration_weight * duration_score + timing_weight * timing_score + continuity_weight * continuity_score
            + coalesce(stage_weight * stage_score, 0)
        ) / (
            duration_weight + timing_weight + continuity_weight + case when stage_score is null then 0 else stage_weight end
        )
            as sleep_score,             -- 0 to 100, weighted mean of the parts; null when one but stages is not known
        duration_score,                 -- 0 to 100, time asleep against the range for the age
        timing_score,                   -- 0 to 100, onset against the median of the 14 dates before
        continuity_score,               -- 0 to 100, wake after sleep onset and long awakenings
        stage_score,                    -- 0 to 100, deep and REM sleep by the device; null when it told none
        delay_min
            as bedtime_delay_min,       -- min, onset after the median; negative = before it
        cast(coalesce(is_latency_in_range, 0) + coalesce(is_awakening_in_range, 0) + coalesce(is_waso_in_range, 0)
            + coalesce(is_efficiency_in_range, 0) as integer)
            as nsf_in_range_count,      -- indicators of the four (latency, awakenings, WASO, efficiency) in range
        cast(case when is_latency_in_range is null then 0 else 1 end
            + case when is_awakening_in_range is null then 0 else 1 end
            + case when is_waso_in_range is null then 0 else 1 end
            + case when is_efficiency_in_range is null then 0 else 1 end as integer)
            as nsf_measured_count,      -- indicators of the four that were measured
        case
            when total_sleep_time_min is null or recommended_low_min is null then null
            when total_sleep_time_min between recommended_low_min and recommended_high_min then 'recommended'
            when total_sleep_time_min < recommended_low_min and total_sleep_time_min
                >= case when age_years >= 65 then 300 when age_years < 18 then recommended_low_min - 60 else 360 end
                then 'near_below'
            when total_sleep_time_min < recommended_low_min then 'below'
            when total_sleep_time_min
                <= case when age_years >= 65 then 540 when age_years < 26 and age_years >= 18 then 660 else recommended_high_min + 60 end
                then 'near_above'
            else 'above'
        end
            as duration_band,           -- below, near_below, recommended, near_above or above, by the NSF's ranges for the age
        cast(duration_points as integer)
            as duration_points,         -- 0 to 3, more than 7 h, 6 to 7, 5 to 6, less
        cast(efficiency_points as integer)
            as efficiency_points,       -- 0 to 3, efficiency from 85 %, 75 %, 65 %, less
        cast(latency_points as integer)
            as latency_points,          -- 0 to 3, latency up to 15 min, 30, 60, more
        cast(duration_points + efficiency_points + latency_points as integer)
            as objective_points,        -- 0 to 9, their sum; null when one is not known
        cast(device_sleep_score as integer)
            as device_sleep_score,      -- the source's own score of the date, 0 to 100
        'sleep_scores/1'
            as method_version           -- formula of this row

    from parts

)

select * from scores
