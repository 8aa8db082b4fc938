-- Every table and materialized view with its rows and bytes, those of its parts too. The rows are the planner's
-- estimate: -1 where there is none yet, which before PostgreSQL 14 was 0.
WITH RECURSIVE tree (root, member) AS (
    SELECT c.oid, c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm')
      AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\_toast%'
    UNION
    SELECT tree.root, i.inhrelid
    FROM tree
    JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.member
)
SELECT n.nspname::text AS schema,
       c.relname::text AS name,
       CASE WHEN bool_and(m.relkind = 'p' OR m.reltuples > 0 OR m.relpages = 0 AND pg_relation_size(m.oid) = 0)
            THEN coalesce(sum(m.reltuples) FILTER (WHERE m.relkind <> 'p' AND m.reltuples > 0), 0)::float8
       END AS rows,
       coalesce(sum(pg_total_relation_size(m.oid)), 0)::bigint AS bytes
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.root
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class m ON m.oid = tree.member
GROUP BY n.nspname, c.relname
