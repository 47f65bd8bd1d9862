"""The constraint base: nogoods derived from ports, imported from the validation code of frameworks, written by arithmetic, set by people."""
