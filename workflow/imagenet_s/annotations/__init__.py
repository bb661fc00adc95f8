"""The masks' archives: fetched, checked, unpacked."""
