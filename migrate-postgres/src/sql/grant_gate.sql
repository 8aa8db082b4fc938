GRANT SELECT, INSERT, UPDATE, DELETE ON {instance}, {stranger} TO {role};
GRANT SELECT ON {approval} TO {role};
