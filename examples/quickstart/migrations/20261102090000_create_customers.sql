CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    contact text,
    created_at timestamptz NOT NULL DEFAULT now()
);
