ALTER TABLE orders VALIDATE CONSTRAINT orders_of_customers;
