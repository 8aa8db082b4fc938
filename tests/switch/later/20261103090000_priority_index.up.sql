-- no-transaction
CREATE INDEX CONCURRENTLY mq_payloads_priority ON mq_payloads (priority);
