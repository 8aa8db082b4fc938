SELECT {columns} FROM ONLY {relation} WHERE ({referenced}) IN (SELECT {typed} FROM unnest({arrays}) u ({names}))
