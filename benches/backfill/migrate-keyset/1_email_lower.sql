-- migrate: backfill accounts by id batch 5000
UPDATE accounts SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);
