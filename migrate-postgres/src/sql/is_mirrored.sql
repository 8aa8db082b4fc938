SELECT EXISTS (
    SELECT FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = pg_catalog.to_regclass({history_name}) AND t.tgname = {mirror_name}
) AS mirrored
