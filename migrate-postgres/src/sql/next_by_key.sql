SELECT n.n, l.place
FROM (SELECT count(*) AS n FROM (SELECT FROM {relation} WHERE {rest} ORDER BY {key} LIMIT {rows}) s) n
LEFT JOIN LATERAL (
    SELECT ARRAY[{key_as_text}] AS place FROM {relation} WHERE {rest} ORDER BY {key} OFFSET greatest(n.n - 1, 0) LIMIT 1
) l ON n.n > 0;
