SELECT what FROM bumped
