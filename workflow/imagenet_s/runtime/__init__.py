"""What every package may use: errors, progress, processes, and files by their first bytes."""
