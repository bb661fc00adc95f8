"""Exports: the data sets in the formats that other software reads."""
