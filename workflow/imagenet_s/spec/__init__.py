"""The definition of ImageNet-S: subsets, classes, splits and official lists."""
