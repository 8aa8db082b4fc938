COMMENT ON DATABASE {name} IS '{note}'
