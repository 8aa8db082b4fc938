-- migrate: backfill accounts by ctid stripes 16
UPDATE accounts SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);
