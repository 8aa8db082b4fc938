-- migrate: soak 2s
-- migrate: irreversible because what is written to town from then on has no place in city
DROP TRIGGER "~users_town" ON users;
DROP FUNCTION users_town_sync();
ALTER TABLE users DROP COLUMN city;
