"""The nearest right spelling of a word that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(found: str, allowed: Iterable[str]) -> str | None:
    """Return the most similar of the allowed words, or None if none is similar."""
    near = get_close_matches(found.lower(), list(allowed), n=1)
    return near[0] if near else None


def hint(found: object, allowed: Iterable[object], label: str) -> str:
    """Return what is allowed as `label: a, b`, preceded by the most similar one, if there is one."""
    words = [str(word) for word in allowed]
    near = nearest(found, words) if isinstance(found, str) else None
    listed = f"{label}: {', '.join(words)}"
    return f"did you mean `{near}`? {listed[0].upper()}{listed[1:]}" if near else listed
