"""Restoring damaged files of a build, and removing builds."""
