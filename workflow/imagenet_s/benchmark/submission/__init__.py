"""Submissions: written and checked."""
