"""The constraint base: nogoods derived from ports, imported from validation code, of arithmetic, and set by people."""
