-- Whatever is written from now on has both; what is there is filled by the next phase.
ALTER TABLE accounts ADD COLUMN email_lower text;

CREATE FUNCTION accounts_email_lower() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.email_lower := lower(NEW.email);
    RETURN NEW;
END
$$;

CREATE TRIGGER "~email_lower" BEFORE INSERT OR UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION accounts_email_lower();
