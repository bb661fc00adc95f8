"""A gallery: static pages that show the classes and images of a copy with their masks."""
