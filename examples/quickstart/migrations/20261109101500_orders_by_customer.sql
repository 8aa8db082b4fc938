-- migrate: no-transaction
-- Built beside the writers: they go on while the index grows.
CREATE INDEX CONCURRENTLY orders_by_customer ON orders (customer_id);
