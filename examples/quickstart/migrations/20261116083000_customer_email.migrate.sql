-- migrate: allow(bulk_write) because there are a few thousand customers
UPDATE customers SET email = contact WHERE email IS DISTINCT FROM contact;
