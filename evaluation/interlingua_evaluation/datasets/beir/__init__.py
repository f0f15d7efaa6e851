"""Folders in BEIR's layout."""
