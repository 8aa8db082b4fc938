-- migrate: no-transaction
DROP INDEX CONCURRENTLY notes_by_author;
