ALTER TABLE orders ADD CONSTRAINT amount_is_positive CHECK (amount > 0 AND length(email) > 3) NOT VALID;
