"""Amounts as people read them."""

import pytest

from imagenet_s.runtime.units import size_text, time_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (147_897_477_120, "148 GB"),
        (2.5e15, "2,500 TB"),
    ],
)
def test_sizes_have_units_of_a_thousand(count, text):
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (192, "3 min 12 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_in_two_units(seconds, text):
    assert time_text(seconds) == text
