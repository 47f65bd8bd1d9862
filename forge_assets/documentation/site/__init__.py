"""Volumes as a site of plain files: pages, search, themes; nothing in it asks anything of another host."""
