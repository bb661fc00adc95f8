"""The data set itself: samples, tree, encoded masks, manifests and metadata."""
