"""Upstream's own code judges what meshlab renders. README.md says what judges what."""
