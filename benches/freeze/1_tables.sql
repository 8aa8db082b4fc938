CREATE TABLE branches (
    id bigint PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    branch bigint NOT NULL,
    balance bigint NOT NULL,
    owner text NOT NULL,
    fax text
);

CREATE INDEX accounts_by_branch ON accounts (branch);

CREATE TABLE movements (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account bigint NOT NULL,
    amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO branches SELECT n, 'branch ' || n FROM generate_series(1, 10) AS n;

INSERT INTO accounts (id, branch, balance, owner)
SELECT n, 1 + n % 10, 0, 'owner ' || n FROM generate_series(1, 100000) AS n;

CREATE FUNCTION accounts_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$;
