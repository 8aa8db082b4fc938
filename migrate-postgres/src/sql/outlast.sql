SAVEPOINT migrate_outlast;
{lock}ROLLBACK TO SAVEPOINT migrate_outlast;
RELEASE SAVEPOINT migrate_outlast;
