UPDATE customers SET email = contact WHERE email IS DISTINCT FROM contact;
