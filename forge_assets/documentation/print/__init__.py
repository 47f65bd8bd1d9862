"""Volumes as PDF, set by Typst."""
