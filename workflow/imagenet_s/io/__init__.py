"""Bytes on disk and wire: atomic writes, links, archives, downloads."""
