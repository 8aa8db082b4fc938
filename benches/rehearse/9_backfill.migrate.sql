-- migrate: backfill orders by id batch 5000
UPDATE orders SET email_folded = lower(email) WHERE :batch AND email_folded IS DISTINCT FROM lower(email);
