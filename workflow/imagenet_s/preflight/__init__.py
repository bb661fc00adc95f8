"""Checks before a build: is the source complete, and is there enough space?"""
