CASE WHEN pg_catalog.pg_try_advisory_xact_lock({key}) AND EXISTS (
    SELECT FROM {lease} l WHERE l.set_name = {set} AND l.fence = {fence} AND l.holder IS NOT NULL
) THEN {seq} END
