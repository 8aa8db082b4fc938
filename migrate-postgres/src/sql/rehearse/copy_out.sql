COPY ({rows}) TO STDOUT
