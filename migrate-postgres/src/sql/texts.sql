SELECT h.up_sql, h.down_sql FROM {history} h
WHERE h.set_name = {set} AND h.version = {version} AND h.phase = {phase}
    AND h.state = 'done' AND h.statement IS NULL
ORDER BY h.seq DESC LIMIT 1
