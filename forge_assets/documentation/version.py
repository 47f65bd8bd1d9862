"""The versions of what volumes are made by; their own module, so that the definitions load nothing else."""

RULES_VERSION = "9"
"""Raised by whoever changes which sentences are found fit, their subjects or their roles: all documents are looked through again."""
PAGES_VERSION = "5"
"""Raised by whoever changes what pages are made of the same evidence: every page is made anew."""

SITE_VERSION = "1"
"""How pages are shown, beyond the files of site/html, which count by themselves."""
