"""Files made again, and removed."""
