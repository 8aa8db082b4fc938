UPDATE accounts SET email_lower = lower(email)
