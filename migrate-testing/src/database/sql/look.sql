SELECT datname::text AS name,
       CASE datname WHEN 'template0' THEN concat_ws(' ', encoding, datcollate, datctype)
                    ELSE shobj_description(oid, 'pg_database') END AS note
FROM pg_database
WHERE datname = 'template0'
   OR datname ~ '^t_[0-9a-f]{8}(_[0-9]+){4}$' AND pg_get_userbyid(datdba) = current_user
