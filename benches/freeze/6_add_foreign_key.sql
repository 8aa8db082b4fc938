ALTER TABLE accounts ADD CONSTRAINT accounts_in_branches FOREIGN KEY (branch) REFERENCES branches (id) NOT VALID;
