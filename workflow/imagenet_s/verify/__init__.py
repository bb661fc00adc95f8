"""Checking a copy of ImageNet-S: which files are missing, extra or damaged."""
