SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
LOCK TABLE {history} IN SHARE MODE NOWAIT;
INSERT INTO {settled} (digest, set_name, history, report)
SELECT {digest}, {set}, {history_name}::pg_catalog.regclass, {report}
WHERE {stamp} = (
    SELECT coalesce(pg_catalog.sum(pg_catalog.hashtext(h.xmin::text || h.ctid::text)), 0)
    FROM {history} h WHERE h.set_name = {set}
)
ON CONFLICT (digest) DO UPDATE SET report = excluded.report, settled_at = excluded.settled_at
