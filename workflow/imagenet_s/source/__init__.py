"""Raw ImageNet: where each image lies, whatever the layout."""
