-- daily_figures: one row per person, day and figure that was measured, whatever table it comes from.
--
-- grain:    user_id, local_date, figure
-- inputs:   stg_figure_days
-- build:    view
-- caution:  figures of days that are not valid are here too; means leave them out

with

steps_figures as (

    unpivot (select user_id, local_date, unnest(steps) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

activity_figures as (

    unpivot (select user_id, local_date, unnest(activity) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

wear_figures as (

    unpivot (select user_id, local_date, unnest(wear) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

heart_figures as (

    unpivot (select user_id, local_date, unnest(heart) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

rest_asleep_figures as (

    unpivot (select user_id, local_date, unnest(rest_asleep) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

rest_awake_figures as (

    unpivot (select user_id, local_date, unnest(rest_awake) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

sleep_figures as (

    unpivot (select user_id, local_date, unnest(sleep) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

sleep_parts_figures as (

    unpivot (select user_id, local_date, unnest(sleep_parts) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

sleep_clock_figures as (

    unpivot (select user_id, local_date, unnest(sleep_clock) from stg_figure_days)
    on columns(* exclude (user_id, local_date, is_valid, has_zero, method))
    into name figure value value

),

all_figures as (

    select * from steps_figures

    union all

    select * from activity_figures

    union all

    select * from wear_figures

    union all

    select * from heart_figures

    union all

    select * from rest_asleep_figures

    union all

    select * from rest_awake_figures

    union all

    select * from sleep_figures

    union all

    select * from sleep_parts_figures

    union all

    select * from sleep_clock_figures

),

figures_of_days as (

    select
        user_id,            -- person
        local_date,         -- the person's date; of a night, the date of waking
        figure,             -- name, see figures
        value,              -- in the unit of figures
        is_valid,           -- counts in means: the day or night is valid, or the figure's own model says so
        method
            as figure_method    -- how it was made: values of different methods are not compared

    from all_figures

)

select * from figures_of_days
