SELECT ({condition}) IS TRUE AS holds;
