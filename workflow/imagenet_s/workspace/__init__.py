"""The output folder: whose it is, and where may be written."""
