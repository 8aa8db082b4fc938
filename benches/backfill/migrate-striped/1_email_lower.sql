-- migrate: backfill accounts by ctid stripes 8
UPDATE accounts SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);
