-- stg_day_samples: what the samples of a person's date come to, as lists: the minutes of every metric, each from the one
-- device that stands for it; the histogram of heart rates and stretches without change; hours and slots of five minutes that
-- tell rest from unrest.
--
-- grain:    user_id, local_date
-- inputs:   silver.series_hours, stg_heart_rate_sentinels, definitions
-- build:    view
-- keep:     build
-- go:       dates
-- series:   heart_rate, steps, step_counter, intensity, distance, floors, active_energy, oxygen_saturation,
--           respiratory_rate, skin_temperature, stress, noise_level, motion_count
-- order:    device_id
-- source:   of lists of minutes a negative number stands for so many more, each a minute later; the histogram is time-weighted (methods 2.4); heart rates that cannot be are left out: beyond limits, sentinels, jumps (methods 2.1; E036); steps of a running
--           counter are the differences of its readings on a date, a fall is a reset; on a date on which any device sent
--           steps, counters count nothing; of several counters the one read most often stands for the date
-- output:   user_id varchar: person
-- output:   local_date date: the person's date
-- output:   heart_rate_minutes integer[]: minutes since 1970-01-01 UTC in which a heart rate was measured, in order; null = none
-- output:   heart_rate_sums_bpm integer[]: beats/min, sum over each minute's valid samples, divided by their count the mean
-- output:   heart_rate_mins_bpm integer[]: beats/min, lowest sample of each minute; null = always one sample, the sum
-- output:   heart_rate_maxs_bpm integer[]: beats/min, highest sample of each minute; null = always one sample, the sum
-- output:   heart_rate_sample_counts integer[]: samples in each minute; null = always one
-- output:   heart_rate_utc_offset_min integer: min east of UTC of the person's clock in all these minutes; null = it changed
-- output:   heart_rate_utc_offsets_min integer[]: min east of UTC in each minute, when it changed
-- output:   step_minutes integer[]: minutes over which steps were counted, were it none; null = not counted
-- output:   step_counts integer[]: steps in each minute, of a longer sample its share; the device's own zeros are zeros
-- output:   step_sample_counts integer[]: samples in each minute; null = always one
-- output:   foreign_step_counts integer[]: of the steps, those that were imported or written in by hand; null = none
-- output:   step_utc_offset_min integer: min east of UTC in all these minutes, as recorded; null = it changed
-- output:   step_utc_offsets_min integer[]: min east of UTC in each minute, when it changed
-- output:   intensity_minutes integer[]: minutes with an activity class; null = none
-- output:   intensity_levels integer[]: 0 sedentary, 1 light, 2 moderate, 3 vigorous, the highest of each minute
-- output:   intensity_sample_counts integer[]: samples in each minute; null = always one
-- output:   oxygen_saturation_minutes integer[]: minutes with a sample of oxygen saturation; null = none
-- output:   oxygen_saturation_sums_permille integer[]: permille, sum over each minute's samples
-- output:   oxygen_saturation_mins_permille integer[]: permille, lowest sample of each minute; null = always one sample, the sum
-- output:   oxygen_saturation_sample_counts integer[]: samples in each minute; null = always one
-- output:   oxygen_saturation_covered_mins integer[]: min that the longest sample of each minute speaks for, less those of another device; null = always one
-- output:   respiratory_rate_minutes integer[]: minutes with a sample of breath; null = none
-- output:   respiratory_rate_sums_milli_per_min integer[]: thousandths of a breath/min, sum over each minute's samples
-- output:   respiratory_rate_sample_counts integer[]: samples in each minute; null = always one
-- output:   respiratory_rate_covered_mins integer[]: min that the longest sample of each minute speaks for, less those of another device; null = always one
-- output:   skin_temperature_minutes integer[]: minutes with a sample of skin temperature; null = none
-- output:   skin_temperature_sums_mcel integer[]: thousandths of a degree Celsius, sum over each minute's samples
-- output:   skin_temperature_sample_counts integer[]: samples in each minute; null = always one
-- output:   skin_temperature_covered_mins integer[]: min that the longest sample of each minute speaks for, less those of another device; null = always one
-- output:   stress_minutes integer[]: minutes with a sample of stress; null = none
-- output:   stress_sums_score integer[]: the device's own score, sum over each minute's samples
-- output:   stress_sample_counts integer[]: samples in each minute; null = always one
-- output:   stress_covered_mins integer[]: min that the longest sample of each minute speaks for, less those of another device; null = always one
-- output:   noise_level_minutes integer[]: minutes with a sample of noise; null = none
-- output:   noise_level_sums_ddb integer[]: tenths of a decibel, sum over each minute's samples
-- output:   noise_level_maxs_ddb integer[]: tenths of a decibel, loudest sample of each minute; null = always one sample, the sum
-- output:   noise_level_sample_counts integer[]: samples in each minute; null = always one
-- output:   noise_level_covered_mins integer[]: min that the longest sample of each minute speaks for, less those of another device; null = always one
-- output:   distance_cm bigint: cm on the date; null when none was measured
-- output:   floor_count bigint: floors climbed on the date; null when none were counted
-- output:   active_energy_cal bigint: cal beyond rest on the date; null when not told
-- output:   distance_step_count bigint: steps of the minutes for which a distance was measured; null when none was
-- output:   active_energy_step_count bigint: steps of the minutes for which energy was told; null when none was
-- output:   intensity_step_count bigint: steps of the minutes with an activity class; null when there is none
-- output:   held_rates_bpm integer[]: beats/min, the rates of the date, in order; null = none is valid
-- output:   held_sample_counts integer[]: valid samples at each rate
-- output:   held_ms integer[]: ms in which each rate was seen: each sample until the next, spot values for 120 s at most
-- output:   held_weights_ms integer[]: ms for which each rate stands in means and percentiles: spot values for 900 s at most
-- output:   heart_rate_measured_min integer: min in which a valid sample of heart rate starts
-- output:   heart_rate_refused_count bigint: samples left out, impossible, sentinels, or jumps
-- output:   date_length_min integer: min the date had, by the first and last offset of a heart rate on it
-- output:   heart_rate_span_ms bigint: ms from the first valid sample of heart rate to the end of the last
-- output:   flat_line_minutes integer[]: minutes in which stretches began in which a device that measures often told one heart rate for long; null = none
-- output:   flat_line_lengths_ms integer[]: ms from the first sample of each stretch to the end of the last
-- output:   rest_first_slots integer[]: hours with a heart rate, as slots of five minutes since 1970-01-01 UTC, of the one device that tells rest; null = none
-- output:   rest_utc_offsets_min integer[]: min east of UTC of each hour, as recorded
-- output:   rest_measured_mins integer[]: min of each hour covered by heart rates
-- output:   rest_heart_rate_sums_bpm integer[]: beats/min, sum over the samples of each hour
-- output:   rest_heart_rate_counts integer[]: samples of heart rate of each hour
-- output:   rest_heart_rate_mins_bpm integer[]: beats/min, lowest sample of each hour
-- output:   rest_motion_sums integer[]: motion counts, sum over the epochs of each hour
-- output:   rest_motion_epoch_counts integer[]: epochs of each hour with a motion count
-- output:   rest_motion_medians integer[]: motion counts, median of the epochs of each hour, the lower of two
-- output:   rest_slot_heart_rate_sums_bpm integer[]: beats/min, sum over the samples of each of the twelve slots of each hour
-- output:   rest_slot_heart_rate_counts integer[]: samples of heart rate of each slot
-- output:   rest_slot_step_sample_counts integer[]: samples of steps of each slot
-- output:   rest_slot_walking_sample_counts integer[]: samples with a step of each slot
-- output:   rest_slot_motion_epoch_counts integer[]: epochs of each slot with a motion count
-- output:   rest_slot_motion_medians integer[]: motion counts, median of the epochs of each slot, the lower of two; 0 = no epoch, or still
-- output:   worn_hour_minutes integer[]: hours with a heart rate, on a date without any those with steps: the minute since 1970-01-01 UTC that each begins with; null = none
-- output:   worn_utc_offsets_min integer[]: min east of UTC of each hour, as recorded
-- output:   worn_measured_mins integer[]: min of each hour with a sample, of the device that measured most of it
-- output:   oxygen_saturation_seconds integer[]: seconds after midnight UTC of the date in which oxygen saturation was measured, where it is every 3 s or more often; null = none
-- output:   oxygen_saturation_second_mins_permille integer[]: permille, lowest sample of each second
-- output:   oxygen_saturation_covered_s integer[]: s that the longest sample of each second speaks for
-- caution:  steps, distance, floors and energy that were counted over more than a minute, and what a counter counted from one
--           reading to the next, are shared out by time up to midnight: such a minute has the mean of its sample, not what
--           was walked in it; another sample stands in the minute it starts in, a spot value in its own; devices whose
--           recorded offsets disagree about the date are each alone on their own date; what a counter counted between the
--           last reading of a date and the first of the next belongs to neither for certain and counts for none; the clock
--           of a minute with steps is that of the steps; a date is made of its own samples: the last heart rate of an
--           evening is not held over midnight; a stretch without change ends with its UTC hour; the device that tells rest
--           is native before imported, then the one with most heart rates, and its samples are taken as recorded

with

rules as (

    select
        max(case when name = 'heart_rate_lowest_bpm' then value end) as lowest_bpm,
        max(case when name = 'heart_rate_highest_bpm' then value end) as highest_bpm,
        max(case when name = 'heart_rate_jump_bpm_per_s' then value end) as jump_bpm_per_s,
        max(case when name = 'counter_steps_per_min_max' then value end) as counter_steps_per_min_max,
        1000 * max(case when name = 'heart_rate_hold_s' then value end) as hold_ms,
        1000 * max(case when name = 'heart_rate_hold_dense_s' then value end) as hold_dense_ms,
        1000 * max(case when name = 'heart_rate_dense_gap_s' then value end) as dense_gap_ms,
        1000 * max(case when name = 'heart_rate_spot_hold_s' then value end) as spot_hold_ms,
        1000 * max(case when name = 'heart_rate_spot_own_s' then value end) as spot_own_ms,
        max(case when name = 'flat_line_min' then value end) as flat_line_min,
        max(case when name = 'flat_line_samples_per_min' then value end) as flat_line_samples_per_min

    from definitions

),

beside_hours as (

    select
        stg_heart_rate_sentinels.device_id,
        stg_heart_rate_sentinels.sentinel_values,
        rules.*

    from rules
    left join stg_heart_rate_sentinels
        on true

)

select * from beside_hours
