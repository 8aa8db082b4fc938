DO $$
DECLARE
    is_at_work_until timestamptz;
BEGIN
    FOR burst IN 1..250 LOOP
        is_at_work_until := clock_timestamp() + interval '20 ms';
        WHILE clock_timestamp() < is_at_work_until LOOP
            PERFORM count(md5(n::text)) FROM generate_series(1, 500) AS n;
        END LOOP;
        PERFORM pg_sleep(0.004);
    END LOOP;
END
$$
