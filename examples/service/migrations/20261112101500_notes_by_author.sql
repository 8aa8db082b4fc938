-- migrate: no-transaction
-- Replicas of the release before write notes while it is built.
CREATE INDEX CONCURRENTLY notes_by_author ON notes (author, written_at);
