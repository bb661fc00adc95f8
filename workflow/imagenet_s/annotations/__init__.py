"""The annotations, which contain the masks: fetched, verified and unpacked."""
