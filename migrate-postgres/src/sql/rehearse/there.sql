-- Which of these relations others can see.
SELECT c.oid::bigint AS oid FROM pg_catalog.pg_class c WHERE c.oid IN ({oids})
