-- Whichever of the two columns a statement changes, the other follows. What has changed is told by the data: old code
-- and new code may connect in the same way.
ALTER TABLE users ADD COLUMN town text;

CREATE FUNCTION users_town_sync() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_changed boolean;
    new_changed boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        old_changed := NEW.city IS NOT NULL;
        new_changed := NEW.town IS NOT NULL;
    ELSE
        old_changed := NEW.city IS DISTINCT FROM OLD.city;
        new_changed := NEW.town IS DISTINCT FROM OLD.town;
    END IF;
    IF new_changed THEN
        NEW.city := NEW.town;
    ELSIF old_changed OR NEW.town IS NULL AND NEW.city IS NOT NULL THEN
        NEW.town := NEW.city;
    END IF;
    RETURN NEW;
END
$$;

-- Sorts last, so that no other trigger changes anything after it.
CREATE TRIGGER "~users_town" BEFORE INSERT OR UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION users_town_sync();
