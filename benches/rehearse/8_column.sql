ALTER TABLE orders ADD COLUMN email_folded text;
