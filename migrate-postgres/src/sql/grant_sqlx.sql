GRANT {rights} ON {sqlx} TO {role};
