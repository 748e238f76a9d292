-- The dates on which anybody has steps: which periods there are boards of.

select distinct local_date

from ranking_days
