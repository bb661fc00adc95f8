"""What the rules need."""
