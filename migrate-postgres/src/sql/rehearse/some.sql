SELECT {columns} FROM ONLY {relation} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)
