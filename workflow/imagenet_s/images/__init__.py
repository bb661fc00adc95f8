"""Each image is read once, measured, and copied to the pool if the build needs a copy."""
