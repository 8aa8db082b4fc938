ALTER TABLE {relation} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID;
