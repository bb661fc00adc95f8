"""Statistics of a copy: its images, masks, classes and pixels in numbers."""
