"""Generated pages against what experts want to read, beside lead and LexRank."""
