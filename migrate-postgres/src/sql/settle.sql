SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
LOCK TABLE {history} IN SHARE MODE NOWAIT;
INSERT INTO {settled} (digest, set_name, history, report)
SELECT {digest}, {set}, {history_name}::pg_catalog.regclass, {report}
WHERE {stamp} = (
    SELECT coalesce(pg_catalog.sum(pg_catalog.hashtext(h.xmin::text || h.ctid::text)), 0)
    FROM {history} h WHERE h.set_name = {set}
) AND EXISTS (
    SELECT FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = {history_name}::pg_catalog.regclass AND t.tgname = 'migrate_unsettle' AND t.tgenabled = 'A'
)
ON CONFLICT (digest) DO UPDATE
SET history = excluded.history, report = excluded.report, settled_at = excluded.settled_at
