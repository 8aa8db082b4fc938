SELECT datname::text AS name, datistemplate AS is_whole, shobj_description(oid, 'pg_database') AS note
FROM pg_database
WHERE datname ~ '^mt_[0-9a-f]{16}$' AND pg_get_userbyid(datdba) = current_user
