INSERT INTO {sqlx} (version, description, installed_on, success, checksum, execution_time)
SELECT DISTINCT ON (h.version) h.version, pg_catalog.replace(h.name, '_', ' '), h.finished_at, true, {hash_of_row},
    (extract(epoch FROM h.finished_at - h.started_at) * 1000000000)::bigint
FROM {history} h
WHERE h.set_name = {set} AND h.version = ANY (ARRAY[{versions}]::bigint[]) AND h.state = 'done' AND h.statement IS NULL
    AND h.up_sql IS NOT NULL
ORDER BY h.version, h.seq DESC;
