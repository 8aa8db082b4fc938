CREATE INDEX accounts_by_email ON accounts (email);

CREATE INDEX accounts_by_created_at ON accounts (created_at);
