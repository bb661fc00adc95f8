"""The embedded demo: a synthetic ImageNet."""
