CREATE TABLE migrate_rehearsal.{made};
