"""Predictions beside the truth: figures, matching, plots."""
