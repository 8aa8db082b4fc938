ALTER TABLE orders VALIDATE CONSTRAINT amount_is_positive;
