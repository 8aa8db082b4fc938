ALTER TABLE accounts ADD CONSTRAINT accounts_have_owners CHECK (owner <> '') NOT VALID;
