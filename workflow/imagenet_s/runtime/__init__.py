"""Helpers for every package: errors, progress, worker processes, and the kinds of files."""
