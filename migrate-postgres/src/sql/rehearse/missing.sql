-- The values that a foreign key looks for in vain, an array for each of its columns.
SELECT {arrays} FROM (
    SELECT DISTINCT {columns} FROM migrate_rehearsal.{child}
    EXCEPT SELECT {referenced} FROM migrate_rehearsal.{parent}
) m ({names})
