"""Readers of raw ImageNet, one module for each kind of place."""
