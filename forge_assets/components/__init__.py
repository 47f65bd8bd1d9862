"""Passages -> components, parameters and claims with their places -> the catalogue and its candidates."""
