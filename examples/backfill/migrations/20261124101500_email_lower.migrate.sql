-- migrate: backfill accounts by id batch 1000
-- migrate: verify (SELECT count(*) FROM accounts WHERE email_lower IS NULL) = 0
-- migrate: provides search_by_email
UPDATE accounts SET email_lower = lower(email)
WHERE :batch AND email_lower IS DISTINCT FROM lower(email);
