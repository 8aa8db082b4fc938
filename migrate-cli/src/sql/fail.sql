-- From here on the server reads what it gets and refuses to do any of it.
SELECT 1 / 0
