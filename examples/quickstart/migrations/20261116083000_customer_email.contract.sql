-- migrate: irreversible because old code that reads `contact` is gone by then
ALTER TABLE customers DROP COLUMN contact;
