"""One mask: class ids as pixels of a PNG, and other encodings of the same."""
