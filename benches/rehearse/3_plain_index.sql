-- migrate: allow(create_index) because it is what is measured
CREATE INDEX orders_by_customer ON orders (customer);
