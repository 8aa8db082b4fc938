-- migrate: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY articles_slug ON articles (slug);
