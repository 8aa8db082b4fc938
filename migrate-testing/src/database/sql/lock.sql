SET statement_timeout = 0; SELECT true AS locked FROM pg_advisory_lock({key})
