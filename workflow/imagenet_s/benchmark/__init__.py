"""The benchmark: score predictions, predict with the baseline, write and check submissions."""
