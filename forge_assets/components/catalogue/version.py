"""The version of what the catalogue says of the same readings; its own module, so that the definitions load nothing else."""

CATALOGUE_VERSION = "2"
"""Raised by whoever changes that."""
