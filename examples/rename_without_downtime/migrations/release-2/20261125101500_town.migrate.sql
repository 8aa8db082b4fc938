-- migrate: backfill users by id batch 500
-- migrate: verify (SELECT count(*) FROM users WHERE town IS DISTINCT FROM city) = 0
-- migrate: provides town
UPDATE users SET town = city WHERE :batch AND town IS DISTINCT FROM city;
