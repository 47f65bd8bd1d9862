"""FDL, the index notation in which the parts of a model are written: one text, one checked program, many back-ends that print it."""
