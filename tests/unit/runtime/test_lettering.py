"""Text in pictures: words are wrapped, and long words broken."""

from imagenet_s.runtime.lettering import lettering, wrapped


def test_lines_fit_and_keep_every_letter():
    text = "validation/n01443537/ILSVRC2012_val_00048204.JPEG and two words"
    lines = wrapped(text, 120, 12)
    assert all(lettering(12).getlength(line) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped("two words", 1000, 12) == ["two words"]
    assert wrapped("two words", 45, 12) == ["two", "words"]
    assert wrapped("", 45, 12) == [""]
    assert wrapped("ab", 1, 12) == ["a", "b"]
