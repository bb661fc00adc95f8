"""Compare predictions with the true masks: metrics, matching of ids, plots."""
