"""The best compatible stack: request -> problem -> solver -> answers. One component per slot, under constraints and a budget."""
