CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer bigint NOT NULL,
    email text NOT NULL,
    amount int NOT NULL,
    note text
);
