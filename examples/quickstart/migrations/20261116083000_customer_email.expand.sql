-- What `contact` held was always an e-mail address. The new name comes first; the old one goes last.
ALTER TABLE customers ADD COLUMN email text;
