"""What ImageNet-S is: its subsets, classes, splits and official lists."""
