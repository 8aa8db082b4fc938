SELECT h.seq, h.version, h.phase, h.name, h.kind, h.direction, h.state, h.statement, h.checksum,
    false AS has_up, false AS has_down, NULL AS head, '' AS at, h.format, 0 AS stamp
FROM {history} h WHERE h.set_name = {set} AND (h.version, h.phase) IN ({ids}) ORDER BY h.seq
