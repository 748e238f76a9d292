-- sports: one row per kind of sport, and the names under which others know it.
--
-- grain:    sport_type
-- inputs:   none
-- build:    view
-- caution:  a device that knows fewer kinds calls many of them by one name; what no row knows stays what the device calls it

with

kinds as (

    select *

    from (
        values
            ('running', 'run', 'outdoor', 'running', 'RUNNING', 'Run', 'run,jogging,outdoor_run'),
            ('trail_running', 'run', 'outdoor', 'trail', 'RUNNING_TRAIL', 'TrailRun', 'trail_run'),
            ('track_running', 'run', 'outdoor', 'track', null, 'TrackRun', 'track_run'),
            ('treadmill_running', 'run', 'indoor', 'treadmill', 'RUNNING_TREADMILL', null, 'indoor_running,treadmill_run,indoor_run'),
            ('virtual_running', 'run', 'virtual', 'virtual_run', null, 'VirtualRun', null),
            ('orienteering', 'run', 'outdoor', 'navigate', null, null, null),
            ('obstacle_course', 'run', 'outdoor', 'obstacle', null, null, null),
            ('walking', 'walk', 'outdoor', 'walking', 'WALKING', 'Walk', 'walk,outdoor_walk,casual_walking,speed_walking'),
            ('treadmill_walking', 'walk', 'indoor', 'indoor_walking', 'WALKING_TREADMILL', null, 'indoor_walk,treadmill_walk'),
            ('hiking', 'walk', 'outdoor', 'hiking', 'HIKING', 'Hike', 'hike'),
            ('mountaineering', 'walk', 'outdoor', 'mountaineering', null, null, 'mountain_climbing'),
            ('nordic_walking', 'walk', 'outdoor', 'nordic_walking', null, null, null),
            ('snowshoeing', 'walk', 'outdoor', 'snowshoeing', 'SNOWSHOEING', 'Snowshoe', 'snowshoe'),
            ('rucking', 'walk', 'outdoor', 'rucking', null, null, null),
            ('wheelchair', 'wheel', 'outdoor', 'wheelchair_push_walk', 'WHEELCHAIR', 'Wheelchair', 'wheelchair_push_run'),
            ('cycling', 'ride', 'outdoor', 'cycling', 'BIKING', 'Ride', 'biking,bike,ride,road_cycling,road,outdoor_cycle'),
            ('mountain_biking', 'ride', 'outdoor', 'mountain', 'BIKING_MOUNTAIN', 'MountainBikeRide', 'mtb'),
            ('gravel_cycling', 'ride', 'outdoor', 'gravel_cycling', null, 'GravelRide', null),
            ('cyclocross', 'ride', 'outdoor', 'cyclocross', null, null, null),
            ('bmx', 'ride', 'outdoor', 'bmx', null, null, null),
            ('commuting_by_bike', 'ride', 'outdoor', 'commuting', null, null, null),
            ('handcycling', 'ride', 'outdoor', 'hand_cycling', 'BIKING_HAND', 'Handcycle', null),
            ('recumbent_cycling', 'ride', 'outdoor', 'recumbent', null, 'Velomobile', null),
            ('indoor_cycling', 'ride', 'indoor', 'indoor_cycling', 'BIKING_STATIONARY', null, 'spinning,spin,stationary_bike,indoor_cycle,exercise_bike'),
            ('virtual_cycling', 'ride', 'virtual', 'virtual_activity', null, 'VirtualRide', null),
            ('e_biking', 'ride', 'assisted', 'e_bike_fitness', 'EBIKING', 'EBikeRide', 'ebike,e_biking_ride'),
            ('e_mountain_biking', 'ride', 'assisted', 'e_bike_mountain', null, 'EMountainBikeRide', null),
            ('pool_swimming', 'swim', 'indoor', 'lap_swimming', 'SWIMMING_POOL', null, 'swim_pool,pool_swim'),
            ('swimming', 'swim', 'outdoor', 'swimming', 'SWIMMING', 'Swim', 'swim'),
            ('open_water_swimming', 'swim', 'outdoor', 'open_water', 'SWIMMING_OPEN_WATER', null, 'open_water_swim'),
            ('rowing', 'row', 'outdoor', 'rowing', 'ROWING', 'Rowing', 'row'),
            ('indoor_rowing', 'row', 'indoor', 'indoor_rowing', 'ROWING_MACHINE', 'VirtualRow', 'rowing_machine,row_machine'),
            ('paddling', 'row', 'outdoor', 'paddling', 'PADDLING', null, null),
            ('canoeing', 'row', 'outdoor', null, null, 'Canoeing', 'canoe'),
            ('kayaking', 'row', 'outdoor', 'kayaking', null, 'Kayaking', 'kayak'),
            ('rafting', 'row', 'outdoor', 'rafting', null, null, null),
            ('stand_up_paddling', 'row', 'outdoor', 'stand_up_paddleboarding', null, 'StandUpPaddling', 'sup'),
            ('sailing', 'sail', 'outdoor', 'sailing', 'SAILING', 'Sail', null),
            ('surfing', 'sail', 'outdoor', 'surfing', 'SURFING', 'Surfing', null),
            ('kitesurfing', 'sail', 'outdoor', 'kitesurfing', null, 'Kitesurf', null),
            ('windsurfing', 'sail', 'outdoor', 'windsurfing', null, 'Windsurf', null),
            ('wakeboarding', 'sail', 'outdoor', 'wakeboarding', null, null, null),
            ('water_skiing', 'sail', 'outdoor', 'water_skiing', null, null, null),
            ('diving', 'other', 'outdoor', 'diving', 'SCUBA_DIVING', null, 'scuba'),
            ('alpine_skiing', 'ski', 'outdoor', 'alpine_skiing', 'SKIING', 'AlpineSki', 'skiing,downhill_skiing'),
            ('backcountry_skiing', 'ski', 'outdoor', 'backcountry', null, 'BackcountrySki', 'ski_touring'),
            ('cross_country_skiing', 'ski', 'outdoor', 'cross_country_skiing', null, 'NordicSki', 'nordic_skiing'),
            ('roller_skiing', 'ski', 'outdoor', null, null, 'RollerSki', null),
            ('snowboarding', 'ski', 'outdoor', 'snowboarding', 'SNOWBOARDING', 'Snowboard', 'snowboard'),
            ('ice_skating', 'skate', 'outdoor', 'ice_skating', 'ICE_SKATING', 'IceSkate', null),
            ('inline_skating', 'skate', 'outdoor', 'inline_skating', 'SKATING', 'InlineSkate', 'roller_skating'),
            ('skateboarding', 'skate', 'outdoor', null, null, 'Skateboard', null),
            ('strength_training', 'gym', 'indoor', 'strength_training', 'STRENGTH_TRAINING', 'WeightTraining', 'weights,weight_training,traditional_strength_training'),
            ('functional_strength', 'gym', 'indoor', 'functional_strength_training', null, null, null),
            ('weightlifting', 'gym', 'indoor', null, 'WEIGHTLIFTING', null, null),
            ('crossfit', 'gym', 'indoor', null, null, 'Crossfit', null),
            ('calisthenics', 'gym', 'indoor', null, 'CALISTHENICS', null, null),
            ('circuit_training', 'gym', 'indoor', null, null, null, null),
            ('core_training', 'gym', 'indoor', 'core_training', null, null, null),
            ('high_intensity_intervals', 'gym', 'indoor', 'hiit', 'HIGH_INTENSITY_INTERVAL_TRAINING', 'HighIntensityIntervalTraining', 'interval_training'),
            ('elliptical', 'gym', 'indoor', 'elliptical', 'ELLIPTICAL', 'Elliptical', null),
            ('stair_climbing', 'gym', 'indoor', 'stair_climbing', 'STAIR_CLIMBING_MACHINE', 'StairStepper', 'stairs,floor_climbing'),
            ('jump_rope', 'gym', 'indoor', 'jump_rope', null, null, 'rope_skipping'),
            ('boot_camp', 'gym', 'indoor', null, 'BOOT_CAMP', null, null),
            ('cardio', 'gym', 'indoor', 'cardio_training', 'EXERCISE_CLASS', 'Workout', 'aerobics,aerobic'),
            ('gymnastics', 'gym', 'indoor', null, 'GYMNASTICS', null, null),
            ('trampoline', 'gym', 'indoor', null, null, null, null),
            ('yoga', 'mind', 'indoor', 'yoga', 'YOGA', 'Yoga', null),
            ('pilates', 'mind', 'indoor', 'pilates', 'PILATES', 'Pilates', null),
            ('stretching', 'mind', 'indoor', 'flexibility_training', 'STRETCHING', null, 'flexibility'),
            ('tai_chi', 'mind', 'indoor', null, null, 'Taichi', null),
            ('breathing', 'mind', 'indoor', 'breathing', 'GUIDED_BREATHING', null, null),
            ('meditation', 'mind', 'indoor', 'meditation', null, null, null),
            ('dancing', 'other', 'indoor', 'dance', 'DANCING', 'Dance', null),
            ('boxing', 'combat', 'indoor', 'boxing', 'BOXING', null, null),
            ('kickboxing', 'combat', 'indoor', null, null, null, null),
            ('martial_arts', 'combat', 'indoor', 'mixed_martial_arts', 'MARTIAL_ARTS', null, 'karate,judo,taekwondo'),
            ('wrestling', 'combat', 'indoor', null, null, null, null),
            ('fencing', 'combat', 'indoor', null, 'FENCING', null, null),
            ('rock_climbing', 'other', 'outdoor', 'rock_climbing', 'ROCK_CLIMBING', 'RockClimbing', null),
            ('indoor_climbing', 'other', 'indoor', 'indoor_climbing', null, null, null),
            ('bouldering', 'other', 'indoor', 'bouldering', null, null, null),
            ('football', 'ball', 'outdoor', 'soccer', 'SOCCER', 'Soccer', null),
            ('american_football', 'ball', 'outdoor', 'american_football', 'FOOTBALL_AMERICAN', null, null),
            ('australian_football', 'ball', 'outdoor', null, 'FOOTBALL_AUSTRALIAN', null, null),
            ('rugby', 'ball', 'outdoor', 'rugby', 'RUGBY', null, null),
            ('basketball', 'ball', 'indoor', 'basketball', 'BASKETBALL', 'Basketball', null),
            ('volleyball', 'ball', 'indoor', 'volleyball', 'VOLLEYBALL', 'Volleyball', 'beach_volleyball'),
            ('handball', 'ball', 'indoor', null, 'HANDBALL', null, null),
            ('baseball', 'ball', 'outdoor', 'baseball', 'BASEBALL', null, null),
            ('softball', 'ball', 'outdoor', 'softball_fast_pitch', 'SOFTBALL', null, null),
            ('cricket', 'ball', 'outdoor', 'cricket', 'CRICKET', 'Cricket', null),
            ('field_hockey', 'ball', 'outdoor', 'hockey', null, null, null),
            ('ice_hockey', 'ball', 'indoor', 'ice_hockey', 'ICE_HOCKEY', null, null),
            ('lacrosse', 'ball', 'outdoor', 'lacrosse', null, null, null),
            ('water_polo', 'ball', 'indoor', null, 'WATER_POLO', null, null),
            ('tennis', 'racket', 'outdoor', 'tennis', 'TENNIS', 'Tennis', null),
            ('table_tennis', 'racket', 'indoor', 'table_tennis', 'TABLE_TENNIS', 'TableTennis', 'ping_pong'),
            ('badminton', 'racket', 'indoor', 'badminton', 'BADMINTON', 'Badminton', null),
            ('squash', 'racket', 'indoor', 'squash', 'SQUASH', 'Squash', null),
            ('racquetball', 'racket', 'indoor', 'racquetball', 'RACQUETBALL', 'Racquetball', null),
            ('padel', 'racket', 'outdoor', 'padel', null, 'Padel', null),
            ('pickleball', 'racket', 'outdoor', 'pickleball', null, 'Pickleball', null),
            ('golf', 'other', 'outdoor', 'golf', 'GOLF', 'Golf', null),
            ('frisbee', 'other', 'outdoor', 'disc_golf', 'FRISBEE_DISC', null, null),
            ('archery', 'other', 'outdoor', 'archery', null, null, null),
            ('horse_riding', 'other', 'outdoor', 'horseback_riding', null, null, 'equestrian'),
            ('hunting', 'other', 'outdoor', 'hunting', null, null, null),
            ('fishing', 'other', 'outdoor', 'fishing', null, null, null),
            ('paragliding', 'other', 'outdoor', 'hang_gliding', 'PARAGLIDING', null, null),
            ('multisport', 'other', 'outdoor', 'multisport', null, null, 'triathlon,transition')
    ) as rows_of_kinds (sport_type, sport_family, setting, fit_name, health_connect_name, strava_name, other_names)

),

sports as (

    select
        sport_type,                 -- our name
        sport_family,               -- what it is measured like: run, walk, ride, swim, row, ski, skate, wheel, sail, gym ...
        setting,                    -- outdoor, indoor, virtual (simulated) or assisted (by a motor)
        fit_name,                   -- sport or sub-sport of FIT
        health_connect_name,        -- EXERCISE_TYPE_... of Health Connect
        strava_name,                -- sport type of Strava
        other_names                 -- what devices call it besides, between commas

    from kinds

)

select * from sports
