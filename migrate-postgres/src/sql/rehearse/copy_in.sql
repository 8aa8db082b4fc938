COPY migrate_rehearsal.{table} ({columns}) FROM STDIN
