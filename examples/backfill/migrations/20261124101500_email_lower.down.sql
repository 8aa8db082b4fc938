DROP TRIGGER "~email_lower" ON accounts;
DROP FUNCTION accounts_email_lower();
ALTER TABLE accounts DROP COLUMN email_lower;
