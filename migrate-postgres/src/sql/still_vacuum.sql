a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%(to prevent wraparound)'
