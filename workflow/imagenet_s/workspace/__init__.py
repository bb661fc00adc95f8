"""The output folder: its paths, who made it, and where commands may write."""
