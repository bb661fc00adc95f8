"""Is a copy of ImageNet-S whole?"""
