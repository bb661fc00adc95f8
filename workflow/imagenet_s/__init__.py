"""ImageNet-S from a copy of ImageNet-1k."""

__version__ = "0.1.0"
