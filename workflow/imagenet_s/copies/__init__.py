"""Copies of ImageNet-S: where they are, which files they must have, and their samples."""
