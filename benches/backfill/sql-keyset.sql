DO $$
DECLARE
    done bigint := 0;
    last bigint;
BEGIN
    LOOP
        SELECT max(id) INTO last
        FROM (SELECT id FROM accounts WHERE id > done ORDER BY id LIMIT 5000) AS batch;
        EXIT WHEN last IS NULL;
        UPDATE accounts
        SET email_lower = lower(email)
        WHERE id > done AND id <= last AND email_lower IS DISTINCT FROM lower(email);
        COMMIT;
        done := last;
    END LOOP;
END
$$
