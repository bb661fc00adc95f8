"""The distance matching baseline: features of images, and predictions from them."""
