"""Raw ImageNet: where each image is stored, in any layout."""
