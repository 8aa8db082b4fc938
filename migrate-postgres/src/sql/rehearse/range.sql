SELECT {columns} FROM ONLY {relation} WHERE ctid >= '({from},0)'::tid AND ctid < '({to},0)'::tid
