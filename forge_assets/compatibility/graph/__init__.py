"""The compatibility graph: which components require, exclude, accompany, replace or beat each other, each edge with its evidence."""
