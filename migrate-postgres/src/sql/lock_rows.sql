SELECT count(*) FROM (SELECT FROM {relation} WHERE {condition} FOR NO KEY UPDATE) s
