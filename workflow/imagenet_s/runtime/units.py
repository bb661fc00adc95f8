"""Amounts as people read them."""


def size_text(count: float) -> str:
    """Return a number of bytes for a reader, such as `7.1 GB`."""
    unit, units = "bytes", ["kB", "MB", "GB", "TB"]
    while count >= 999.5 and units:  # what would be rounded to 1,000 takes the next unit
        count, unit = count / 1000, units.pop(0)
    return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"


def time_text(seconds: float) -> str:
    """Return a duration for a reader, such as `3 min 12 s` or `0.8 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
