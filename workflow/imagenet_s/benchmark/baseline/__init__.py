"""Features and predictions of the baseline."""
