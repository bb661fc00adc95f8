"""One mask: class ids as the pixels of a PNG, and other encodings of them."""
