"""The benchmark's tools."""
