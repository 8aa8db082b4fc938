INSERT INTO accounts (email, name, city, plan, logins, balance, created_at, seen_at)
SELECT
    left(md5(n::text), 10) || '@Example.com',
    'Account Holder ' || n,
    'City ' || n % 1000,
    n % 5,
    0,
    n % 10000,
    timestamptz '2020-01-01 00:00:00+00' + n * interval '30 seconds',
    timestamptz '2025-01-01 00:00:00+00'
FROM generate_series(1, $1) AS n
