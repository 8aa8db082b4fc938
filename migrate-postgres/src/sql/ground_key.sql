SELECT k.name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS of_type, a.attnotnull AS not_null,
    EXISTS (
        SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_am m ON m.oid = x.relam
        WHERE i.indrelid = pg_catalog.to_regclass({relation}) AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname = 'btree'
            AND i.indnkeyatts = pg_catalog.cardinality(k.names)
            AND (i.indkey::smallint[])[0:i.indnkeyatts - 1] = k.numbers
            -- One that sorts otherwise than its columns do is of no use for their order.
            AND NOT EXISTS (
                SELECT FROM unnest(i.indcollation::oid[], i.indkey::smallint[]) o (sorts, number)
                JOIN pg_catalog.pg_attribute c ON c.attrelid = i.indrelid AND c.attnum = o.number
                WHERE c.attcollation <> o.sorts
            )
            AND (SELECT count(DISTINCT o.option & 1) FROM unnest(i.indoption::smallint[]) o (option)) = 1
    ) AS is_unique
FROM (
    SELECT n.name, n.place, array_agg(n.name) OVER () AS names,
        array_agg(b.attnum) OVER (ORDER BY n.place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS numbers
    FROM unnest({columns}::text[]) WITH ORDINALITY n (name, place)
    LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = pg_catalog.to_regclass({relation}) AND b.attname = n.name AND b.attnum > 0
        AND NOT b.attisdropped
) k
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.to_regclass({relation}) AND a.attname = k.name AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY k.place
