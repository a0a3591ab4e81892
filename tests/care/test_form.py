"""How long a post counts, and what of its form stands in its way."""

from __future__ import annotations

import pytest

from coach.care.form import LIMITS, counted, flaws


@pytest.mark.parametrize(
    ("text", "platform", "length"),
    [
        ("hello", "x", 5),
        ("a—b “c” é", "x", 9),
        ("日本", "x", 4),
        ("日本", "bluesky", 2),
        ("👩‍⚕️", "x", 2),
        ("👩‍⚕️", "bluesky", 1),
        ("see https://example.org/a/very/long/address/that/goes/on", "x", 4 + 23),
        ("see https://example.org/a/very/long/address/that/goes/on", "mastodon", 4 + 23),
        ("@ann@hospital.social hello", "mastodon", 10),
        ("", "x", 0),
    ],
)
def test_counted_as_the_platform_counts(text: str, platform: str, length: int) -> None:
    assert counted(text, platform) == length


def test_flaws_say_from_where_a_post_is_too_long() -> None:
    flaw = next(f for f in flaws("x" * 300, "x") if f.kind == "too_long")
    assert (flaw.start, flaw.end) == (LIMITS["x"], 300)
    assert not list(flaws("x" * 280, "x"))


def test_flaws_name_tags_and_images_without_words() -> None:
    kinds = {f.kind for f in flaws("Look at this photo #one #two #three #four #longunreadabletag", "bluesky")}
    assert kinds == {"many_tags", "tag_unreadable", "alt_text"}
    assert not list(flaws("Thanks all #MedEd #IntensiveCareMedicine", "x"))
    assert {f.kind for f in flaws("Sunrise over the car park", "x", has_image=True)} == {"alt_text"}
    assert not list(flaws("Sunrise. Alt text: pink sky over the car park", "x", has_image=True))
