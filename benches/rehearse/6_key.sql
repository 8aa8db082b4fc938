ALTER TABLE orders ADD CONSTRAINT orders_of_customers FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;
