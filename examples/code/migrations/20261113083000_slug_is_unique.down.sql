-- migrate: no-transaction
DROP INDEX CONCURRENTLY articles_slug;
