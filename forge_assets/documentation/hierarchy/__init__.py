"""The hierarchy of a training infrastructure, as the corpus has it: a file per part, with options, typical values and their sources."""
