"""Write and check the zip of a submission."""
