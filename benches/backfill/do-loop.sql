DO $$
DECLARE
    changed bigint;
BEGIN
    LOOP
        UPDATE accounts
        SET email_lower = lower(email)
        WHERE id IN (
            SELECT id FROM accounts WHERE email_lower IS NULL LIMIT 1000 FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS changed = ROW_COUNT;
        EXIT WHEN changed = 0;
        COMMIT;
    END LOOP;
END
$$
