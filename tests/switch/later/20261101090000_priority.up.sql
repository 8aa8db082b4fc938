-- Jobs that cannot wait; “normal” is 0.
ALTER TABLE mq_payloads ADD COLUMN priority int NOT NULL DEFAULT 0;
