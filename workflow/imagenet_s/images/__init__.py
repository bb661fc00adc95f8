"""Images, each read once."""
