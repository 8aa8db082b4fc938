WITH moment AS MATERIALIZED (
    SELECT pg_catalog.clock_timestamp() AS now, s.standby,
        CASE WHEN NOT s.standby THEN pg_catalog.pg_current_wal_insert_lsn() END AS written,
        CASE WHEN NOT s.standby THEN pg_catalog.pg_current_wal_flush_lsn() END AS flushed
    FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) s
),
here AS MATERIALIZED (
    SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
),
-- Without the rights of pg_monitor, of another role's session there are only its process, role and application, and the
-- rest is NULL; so it is of the server's own.
session AS MATERIALIZED (
    SELECT a.*, a.backend_type IS NULL AS hidden
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.pid IS DISTINCT FROM {pid}
),
-- Whoever has a snapshot or a number of its own, in this database: dead rows that it may still see stay. A VACUUM has
-- one too, which does not count.
holding AS (
    SELECT s.* FROM session s
    WHERE s.datid = (SELECT h.oid FROM here h) AND (s.backend_xmin IS NOT NULL OR s.backend_xid IS NOT NULL)
        AND s.usesysid IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum v WHERE v.pid = s.pid)
),
holder AS (
    SELECT h.pid, h.name, (extract(epoch FROM m.now - h.since) * 1000)::bigint AS ms
    FROM (
        -- By default each statement has a snapshot of its own. Between two, whoever has one keeps it.
        SELECT s.pid, s.application_name AS name,
            CASE WHEN s.backend_xid IS NULL AND s.state = 'active' THEN s.query_start ELSE s.xact_start END AS since
        FROM holding s
        UNION ALL
        SELECT NULL, p.gid, p.prepared FROM pg_catalog.pg_prepared_xacts p
        WHERE p.database = pg_catalog.current_database()
    ) h CROSS JOIN moment m
    ORDER BY h.since LIMIT 1
),
-- Slots, standbys that say what their readers see, and statements of which it is not known whether their snapshot is
-- older: a number, that nobody has dated.
held AS (
    SELECT h.kind, h.name, h.pid, h.xmin::text AS xmin
    FROM (
        SELECT 'slot' AS kind, s.slot_name::text AS name, NULL::int AS pid, s.xmin FROM pg_catalog.pg_replication_slots s
        UNION ALL
        SELECT 'standby', r.application_name, NULL, r.backend_xmin FROM pg_catalog.pg_stat_replication r
        UNION ALL
        SELECT 'session', s.application_name, s.pid, s.backend_xmin FROM holding s
    ) h
    WHERE h.xmin IS NOT NULL
    ORDER BY pg_catalog.age(h.xmin) DESC, h.kind LIMIT 1
),
slot AS (
    SELECT s.slot_name::text AS name, s.active, pg_catalog.pg_wal_lsn_diff(m.written, s.restart_lsn)::bigint AS retained
    FROM pg_catalog.pg_replication_slots s CROSS JOIN moment m
    WHERE s.restart_lsn IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
    ORDER BY retained DESC LIMIT 1
),
subject AS (
    SELECT c.oid, c.reltoastrelid, pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead,
        greatest(pg_catalog.pg_stat_get_live_tuples(c.oid), c.reltuples::bigint, 0) AS live,
        -- As the server decides whether a vacuum is to prevent wraparound: also where the text of one is hidden.
        pg_catalog.age(c.relfrozenxid) > least(
            pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint, o.freeze_max_age
        ) OR pg_catalog.mxid_age(c.relminmxid) > least(
            pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::bigint, o.multixact_freeze_max_age
        ) AS old
    FROM pg_catalog.pg_class c
    CROSS JOIN LATERAL (
        SELECT max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_freeze_max_age')::bigint AS freeze_max_age,
            max(o.option_value) FILTER (WHERE o.option_name = 'autovacuum_multixact_freeze_max_age')::bigint
                AS multixact_freeze_max_age
        FROM pg_catalog.pg_options_to_table(c.reloptions) o
    ) o
    WHERE c.oid = pg_catalog.to_regclass({table})
),
-- Its lock is seen by everybody, its progress is not.
vacuum AS (
    SELECT l.virtualtransaction AS one,
        CASE
            WHEN s.query LIKE '%(to prevent wraparound)' OR s.hidden AND t.old THEN 'wraparound'
            WHEN s.query LIKE 'autovacuum: ANALYZE %' THEN 'analyze'
            ELSE 'vacuum'
        END AS kind
    FROM subject t
    JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.relation IN (t.oid, nullif(t.reltoastrelid, 0))
        AND l.database = (SELECT h.oid FROM here h) AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
    JOIN session s ON s.pid = l.pid AND s.usesysid IS NULL
    ORDER BY kind DESC LIMIT 1
)
SELECT pg_catalog.quote_ident(current_user) AS role, m.standby,
    (extract(epoch FROM m.now) * 1000)::bigint AS now_ms,
    pg_catalog.floor(extract(epoch FROM (
        m.now AT TIME ZONE coalesce({zone}, pg_catalog.current_setting('log_timezone'))
    )::pg_catalog.time) / 60)::int AS minute,
    pg_catalog.pg_wal_lsn_diff(m.written, '0/0') AS written, pg_catalog.pg_wal_lsn_diff(m.flushed, '0/0') AS flushed,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')) AS max_wal_size,
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS segment,
    pg_catalog.pg_size_bytes(nullif(pg_catalog.current_setting('max_slot_wal_keep_size'), '-1')) AS slot_keep,
    {requested} AS requested,
    (
        SELECT count(*) FROM session s WHERE s.state = 'active' AND s.backend_type = 'client backend'
    ) AS active,
    (
        SELECT count(*) FROM session s WHERE s.hidden AND s.usesysid IS NOT NULL AND s.datid IS NOT NULL
    ) AS hidden,
    (
        SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l
        WHERE NOT l.granted AND {pid} = ANY (pg_catalog.pg_blocking_pids(l.pid))
    ) AS blocked,
    -- A transaction whose session is hidden has a number, by which it is known again.
    (
        SELECT pg_catalog.string_agg(l.virtualxid || ' ' || l.pid, ',')
        FROM pg_catalog.pg_locks l JOIN session s ON s.pid = l.pid
        WHERE l.locktype = 'virtualxid' AND l.granted AND s.hidden AND s.usesysid IS NOT NULL
            AND s.datid = (SELECT h.oid FROM here h)
    ) AS hidden_transactions,
    h.pid AS holder_pid, h.name AS holder, h.ms AS holder_ms,
    e.kind AS held_kind, e.name AS held_name, e.pid AS held_pid, e.xmin AS held_xmin,
    s.name AS slot, s.active AS slot_active, s.retained AS slot_retained,
    pg_catalog.current_setting('archive_mode') <> 'off' AS archiving, a.last_archived_wal AS archived,
    a.last_failed_wal AS failed,
    t.dead, t.live,
    v.one AS vacuum, v.kind AS vacuum_kind,
    r.pid AS replica_pid, r.application_name AS replica, r.state AS replica_state,
    pg_catalog.pg_wal_lsn_diff(coalesce(r.write_lsn, r.flush_lsn), '0/0') AS received,
    pg_catalog.pg_wal_lsn_diff(r.replay_lsn, '0/0') AS replayed,
    (extract(epoch FROM r.replay_lag) * 1000)::bigint AS replay_lag_ms, r.reply_time::text AS reply,
    EXISTS (
        SELECT FROM pg_catalog.pg_replication_slots o WHERE o.active_pid = r.pid AND o.slot_type = 'logical'
    ) AS logical
FROM moment m CROSS JOIN pg_catalog.pg_stat_archiver a
LEFT JOIN holder h ON true
LEFT JOIN held e ON true
LEFT JOIN slot s ON true
LEFT JOIN subject t ON true
LEFT JOIN vacuum v ON true
-- A backup is none, nor is who keeps WAL without replaying it.
LEFT JOIN pg_catalog.pg_stat_replication r ON r.state IS DISTINCT FROM 'backup'
    AND (r.replay_lsn IS NOT NULL OR r.write_lsn IS NULL)
ORDER BY r.pid
