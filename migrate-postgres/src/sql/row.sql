({set}, {place}, {version}, {phase}, {name},
    {kind}, {direction}, {state}, {statement}, {checksum}, {up_sql}, {down_sql},
    {started_at}, {finished_at}, session_user, {role},
    {application}, {host}, {build}, {library}, {reason})
