ANALYZE {relation};
