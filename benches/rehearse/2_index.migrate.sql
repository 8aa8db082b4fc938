-- migrate: no-transaction
CREATE INDEX CONCURRENTLY orders_by_email ON orders (email);
