-- migrate: backfill accounts by ctid
UPDATE accounts SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);
