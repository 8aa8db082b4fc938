SELECT {columns} FROM ONLY {relation}
