DROP TRIGGER IF EXISTS {mirror_ident} ON {history};
DROP FUNCTION IF EXISTS {mirror}();
