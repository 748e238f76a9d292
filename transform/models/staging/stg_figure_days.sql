-- stg_figure_days: one row per person and day of user_days with all of the day's figures, in groups that rest on the same
-- evidence.
--
-- grain:    user_id, local_date
-- inputs:   user_days, clock_days, activity_days, heart_rate_days, resting_heart_rate_days, sleep_nights
-- build:    view
-- caution:  a new figure is a field here and a row of figures, and nothing else: every field but is_valid, has_zero and
--           method is a figure to the models of trends. A new group is named in their selects too; baselines, which have a
--           row for each day, take those figures alone that are looked at day by day, from stg_figure_series

with

days as (

    select
        user_days.user_id,          -- person
        user_days.local_date,       -- the person's date; of a night, the date of waking
        struct_pack(
            is_valid := user_days.is_valid_day and not coalesce(clock_days.is_travel_day, false),
            has_zero := true,
            method := activity_days.method_version,
            step_count := cast(activity_days.step_count as double)
        )
            as steps,               -- steps; valid on valid days that are not of travel
        struct_pack(
            is_valid := user_days.is_valid_day and not coalesce(clock_days.is_travel_day, false),
            has_zero := true,
            method := activity_days.method_version,
            active_hour_count := cast(activity_days.active_hour_count as double),
            moderate_equivalent_min := cast(activity_days.moderate_equivalent_min as double),
            sedentary_min := cast(activity_days.sedentary_min as double)
        )
            as activity,            -- how the day was moved through; valid likewise
        struct_pack(
            is_valid := user_days.worn_min is not null,
            has_zero := true,
            method := user_days.method_version || ' ' || user_days.wear_source,
            worn_min := cast(user_days.worn_min as double)
        )
            as wear,                -- how long the watch was worn
        struct_pack(
            is_valid := user_days.is_valid_day and not coalesce(clock_days.is_travel_day, false),
            has_zero := true,
            method := heart_rate_days.method_version,
            heart_rate_mean_bpm := cast(heart_rate_days.heart_rate_mean_bpm as double)
        )
            as heart,               -- heart rate of the whole day; valid likewise
        struct_pack(
            is_valid := resting_heart_rate_days.resting_heart_rate_source = 'asleep',
            has_zero := true,
            method := resting_heart_rate_days.method_version,
            resting_heart_rate_asleep_bpm := case
                when resting_heart_rate_days.resting_heart_rate_source = 'asleep'
                    then cast(resting_heart_rate_days.resting_heart_rate_bpm as double)
            end
        )
            as rest_asleep,         -- heart rate at rest asleep; its own model says when it can be told
        struct_pack(
            is_valid := resting_heart_rate_days.resting_heart_rate_source = 'awake',
            has_zero := true,
            method := resting_heart_rate_days.method_version,
            resting_heart_rate_awake_bpm := case
                when resting_heart_rate_days.resting_heart_rate_source = 'awake'
                    then cast(resting_heart_rate_days.resting_heart_rate_bpm as double)
            end
        )
            as rest_awake,          -- heart rate at rest awake, which is higher and never put together with the other
        struct_pack(
            is_valid := user_days.is_valid_night,
            has_zero := true,
            method := sleep_nights.method_version || ' ' || sleep_nights.source,
            total_sleep_time_min := cast(sleep_nights.total_sleep_time_min as double)
        )
            as sleep,               -- time asleep; valid on valid nights
        struct_pack(
            is_valid := user_days.is_valid_night,
            has_zero := true,
            method := sleep_nights.method_version || ' ' || sleep_nights.source,
            time_in_bed_min := cast(sleep_nights.time_in_bed_min as double),
            sleep_efficiency_pct := cast(sleep_nights.sleep_efficiency_pct as double),
            wake_after_sleep_onset_min := cast(sleep_nights.wake_after_sleep_onset_min as double),
            deep_min := cast(sleep_nights.deep_min as double),
            rem_min := cast(sleep_nights.rem_min as double)
        )
            as sleep_parts,         -- the night in parts; valid on valid nights
        struct_pack(
            is_valid := user_days.is_valid_night,
            has_zero := false,
            method := sleep_nights.method_version || ' ' || sleep_nights.source,
            sleep_onset_clock_min := epoch_ms(sleep_nights.sleep_onset_at) / 60000 + sleep_nights.onset_utc_offset_min
                - 1440 * cast(sleep_nights.night_date - date '1970-01-01' as double),
            sleep_offset_clock_min := epoch_ms(sleep_nights.sleep_offset_at) / 60000 + sleep_nights.offset_utc_offset_min
                - 1440 * cast(sleep_nights.night_date - date '1970-01-01' as double)
        )
            as sleep_clock          -- when it was, on the person's clock; valid on valid nights

    from user_days
    left join clock_days
        on user_days.user_id = clock_days.user_id
        and user_days.local_date = clock_days.local_date
    left join activity_days
        on user_days.user_id = activity_days.user_id
        and user_days.local_date = activity_days.local_date
    left join heart_rate_days
        on user_days.user_id = heart_rate_days.user_id
        and user_days.local_date = heart_rate_days.local_date
    left join resting_heart_rate_days
        on user_days.user_id = resting_heart_rate_days.user_id
        and user_days.local_date = resting_heart_rate_days.local_date
    left join sleep_nights
        on user_days.user_id = sleep_nights.user_id
        and user_days.local_date = sleep_nights.night_date

)

select * from days
