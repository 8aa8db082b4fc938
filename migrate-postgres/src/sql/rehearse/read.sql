SELECT count(*) AS n FROM ({rows}) s
