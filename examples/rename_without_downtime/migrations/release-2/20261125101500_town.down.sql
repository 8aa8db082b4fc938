DROP TRIGGER "~users_town" ON users;
DROP FUNCTION users_town_sync();
ALTER TABLE users DROP COLUMN town;
