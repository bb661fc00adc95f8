"""Readers of raw ImageNet, one module a kind of place."""
