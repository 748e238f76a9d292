-- deviations: one row per row of baselines: how the day and its week stand to what is usual for the person.
--
-- grain:    user_id, local_date, figure
-- inputs:   baselines, figures, definitions
-- build:    view
-- source:   7-day mean against the 60-day mean +- 0.5 SD (Plews 2013, Buchheit 2014; methods 2.7); a night against the
--           nights before it (methods 4.5); modified z-score (Iglewicz and Hoaglin 1993; methods 5.7)
-- caution:  beside what is usual is not wrong

with

rules as (

    select
        max(case when name = 'baseline_band_sd' then value end) as band_sd,
        max(case when name = 'robust_z_factor' then value end) as robust_z_factor

    from definitions

),

banded as (

    select
        baselines.*,
        baselines.mean_60 - rules.band_sd * baselines.sd_60 as band_low,
        baselines.mean_60 + rules.band_sd * baselines.sd_60 as band_high,
        figures.has_zero,
        rules.robust_z_factor

    from baselines
    left join figures
        on baselines.figure = figures.figure
    cross join rules

),

days as (

    select
        user_id,                -- person
        local_date,             -- the person's date
        figure,                 -- name, see figures
        value,                  -- the figure on the day; null when not measured, or the day is not valid
        mean_7,                 -- mean of 7 days
        case when has_zero then 100 * sd_7 / nullif(mean_7, 0) end
            as cv_7_pct,        -- %, sd_7 of mean_7: how steady the 7 days were; null of times of day
        band_low,               -- mean_60 - baseline_band_sd x sd_60; null of too few days
        band_high,              -- mean_60 + baseline_band_sd x sd_60; null likewise
        case
            when mean_7 < band_low then 'below'
            when mean_7 > band_high then 'above'
            when mean_7 between band_low and band_high then 'within'
        end
            as band_position,   -- below, within or above: where mean_7 lies; null when either is
        robust_z_factor * (value - median_28) / nullif(mad_28, 0)
            as robust_z_28,     -- beyond 3.5 either way the day is an outlier of its 28; null without spread
        value - median_28
            as from_median_28,  -- unit of the figure; null when either is
        value - mean_before
            as deviation,       -- unit of the figure, from the mean of the 30 days before; null when either is
        (value - mean_before) / nullif(sd_before, 0)
            as deviation_sd     -- standard deviations of the 30 days before; null without spread

    from banded

)

select * from days
