SELECT report FROM {settled} WHERE digest = {digest} AND history = {history_name}::pg_catalog.regclass
