"""The Python API: open a copy of ImageNet-S, and read its tables, images and masks."""
