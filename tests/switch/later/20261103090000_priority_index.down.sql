-- no-transaction
DROP INDEX CONCURRENTLY mq_payloads_priority;
