"""Whether a volume says what its sources say: a rewritten sentence against its quotes, a whole volume against the documents."""
