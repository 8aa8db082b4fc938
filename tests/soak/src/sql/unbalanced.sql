SELECT 'account ' || id FROM accounts
WHERE balance IS DISTINCT FROM (SELECT coalesce(sum(amount), 0) FROM entries WHERE account = accounts.id)
