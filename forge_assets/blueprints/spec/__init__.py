"""The technical spec of a blueprint: each number of a training run with where it comes from, and its projections."""
