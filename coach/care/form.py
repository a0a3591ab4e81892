"""The form of a post: how long it counts on each platform, tags, how it reads aloud. Pure.

Sources of the counting: X's published configuration (280 weighted characters, a link
counts 23, most other scripts and emoji 2), Bluesky (300 graphemes), Mastodon's default (500
characters, a link counts 23, a mention without its server).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import regex

LIMITS: Mapping[str, int] = {
    "x": 280, "bluesky": 300, "mastodon": 500, "linkedin": 3000, "instagram": 2200,
    "facebook": 63206, "tiktok": 2200, "threads": 500,
}  # fmt: skip
LINK_COUNTS = 23
MANY_TAGS: Mapping[str, int] = {"instagram": 12, "tiktok": 8}
MANY_TAGS_ELSE = 4
_LINK = re.compile(r"https?://\S+|\bwww\.\S+", re.IGNORECASE)
_TAG = re.compile(r"(?<![\w&/])#(\w+)")
_MENTION = re.compile(r"(?<!\w)@([\w.-]+)@[\w.-]+\w")
_IMAGE = re.compile(
    r"\b(?:photo|picture|pic|image|selfie|screenshot|x-?ray|scan|video|clip)s?\b.{0,25}\b(?:attached|below|above|here|👇|⬇)"
    r"|\[(?:image|photo|picture|video)[^\]]*\]|\b(?:see|swipe|look at) (?:the |this |my )?(?:photo|picture|pic|image)",
    re.IGNORECASE,
)
# Single code points that X counts once; everything else counts twice.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


@dataclass(frozen=True)
class Flaw:
    """Something about the form: its kind, offsets, and how much it matters (0 to 1)."""

    kind: str
    start: int
    end: int
    weight: float


def counted(text: str, platform: str) -> int:
    """How long `text` counts on `platform`."""
    if platform == "x":
        text = unicodedata.normalize("NFC", text)
        bare, links = _LINK.subn("", text)
        return LINK_COUNTS * links + sum(_weight(cluster) for cluster in regex.findall(r"\X", bare))
    if platform == "mastodon":
        bare, links = _LINK.subn("", _MENTION.sub(r"@\1", text))
        return LINK_COUNTS * links + len(regex.findall(r"\X", bare))
    return len(regex.findall(r"\X", text))


def _weight(cluster: str) -> int:
    if regex.search(r"\p{Extended_Pictographic}", cluster) and ord(cluster[0]) > 0xFF:
        return 2  # an emoji counts two, however many code points it is made of
    return sum(1 if any(a <= ord(c) <= b for a, b in _LIGHT) else 2 for c in cluster)


def flaws(text: str, platform: str, *, has_image: bool = False) -> Iterator[Flaw]:
    """What of the form stands in the post's way."""
    limit = LIMITS.get(platform)
    if limit is not None and counted(text, platform) > limit:
        yield Flaw("too_long", _cut(text, platform, limit), len(text), 0.5)
    tags = list(_TAG.finditer(text))
    if len(tags) > MANY_TAGS.get(platform, MANY_TAGS_ELSE):
        yield Flaw("many_tags", tags[0].start(), tags[-1].end(), 0.4)
    for tag in tags:
        word = tag[1]
        if len(word) > 12 and word.islower() and word.isalpha():
            yield Flaw("tag_unreadable", tag.start(), tag.end(), 0.15)
    if (has_image or _IMAGE.search(text)) and not re.search(r"\balt(?:[- ]text)?\b", text, re.IGNORECASE):
        where = _IMAGE.search(text)
        yield Flaw("alt_text", where.start() if where else 0, where.end() if where else 0, 0.1)


def _cut(text: str, platform: str, limit: int) -> int:
    """From which character on the post is too long."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if counted(text[:middle], platform) <= limit else (low, middle - 1)
    return low
