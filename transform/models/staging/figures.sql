-- figures: one row per figure that baselines, weeks, months, years and trends are made of.
--
-- grain:    figure
-- inputs:   none
-- build:    view

with

figures_told (figure, unit, has_zero) as (

    values
        ('step_count', 'steps', true),
        ('active_hour_count', 'h', true),
        ('moderate_equivalent_min', 'min', true),
        ('sedentary_min', 'min', true),
        ('worn_min', 'min', true),
        ('heart_rate_mean_bpm', 'beats/min', true),
        ('resting_heart_rate_asleep_bpm', 'beats/min', true),
        ('resting_heart_rate_awake_bpm', 'beats/min', true),
        ('total_sleep_time_min', 'min', true),
        ('time_in_bed_min', 'min', true),
        ('sleep_efficiency_pct', '%', true),
        ('wake_after_sleep_onset_min', 'min', true),
        ('deep_min', 'min', true),
        ('rem_min', 'min', true),
        ('sleep_onset_clock_min', 'min after the midnight before waking, negative before it', false),
        ('sleep_offset_clock_min', 'min after the midnight before waking', false)

),

named as (

    select
        figure,     -- name, which is that of its column in the table of its days
        unit,       -- unit of its values, means, medians and spreads
        has_zero    -- an amount, of which a share can be told; a time of day is none

    from figures_told

)

select * from named
