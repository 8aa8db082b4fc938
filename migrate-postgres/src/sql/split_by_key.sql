SELECT ARRAY[{key_as_text}] AS place
FROM (
    SELECT {key}, row_number() OVER (ORDER BY {key}) AS n, count(*) OVER () AS of
    FROM {relation} TABLESAMPLE SYSTEM ({percent})
) s
WHERE s.n < s.of AND s.n % greatest(s.of / {workers}, 1) = 0
ORDER BY s.n LIMIT {workers} - 1
