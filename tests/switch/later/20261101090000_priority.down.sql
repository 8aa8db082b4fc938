ALTER TABLE mq_payloads DROP COLUMN priority;
