"""A version of a draft that gives less away by small changes: words made general, heat taken out.

Pure and deterministic: it proposes, and whoever asked judges again what comes out. It
does not reword: `is_awkward` tells when a sentence cannot be mended so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from coach.events import Span

_BEFORE = {
    "when": re.compile(r"(?:,\s*)?\b(?:on|at|in|since|from|by|until|around|about|during|back in|as of)?\s*(?:the\s)?$", re.IGNORECASE),
    "where": re.compile(r"(?:,\s*)?\b(?:in|at|from|near|of|to|outside|around|over at|here in|down in|up in)\s(?:the\s|our\s|my\s)?$",
                        re.IGNORECASE),
    "number": re.compile(r"(?:\b(?:my|his|her|their|the)\s)?(?:\b(?:mrn|nhs|chi|tel|phone|mob(?:ile)?|ring|call|text|email|mail|contact|no\.?|"
                         r"number|dob|id|ref|room|bed|in|on|at|from|via|lives at|address)\b[\s:#.]*)+$", re.IGNORECASE),
    "article": re.compile(r"\b(an?|the|this|my|our|another|one)\s$", re.IGNORECASE),
}  # fmt: skip
_PERSON = re.compile(
    r"[\s,(-]*\b(?:old\s)?(?:boy|girl|man|woman|male|female|lady|gentleman|gent|baby|infant|toddler|child|kid|lad|lass|bloke|"
    r"guy|chap|patient|teenager|teen|mum|dad|mother|father|grandmother|grandfather|m|f)\b\)?",
    re.IGNORECASE,
)
_PERSON_BEFORE = re.compile(
    r"\b(?:(?:an?|the|this|my|our)\s)?(?:boy|girl|man|woman|male|female|lady|gentleman|baby|child|lad|bloke|patient|teenager|"
    r"gentleman|toddler|infant)\s?(?:of|,|\(|aged)?\s*$",
    re.IGNORECASE,
)
_ONE = re.compile(r"(?:his|her|their|my|the|our|a|an)\s(?:\w+[\s-]){0,4}\w*[^\Ws](?:['’]s)?$", re.IGNORECASE)
_CAPITALISED = re.compile(r"[ -][A-Z][\w'’]+")
_CAPITALISED_BEFORE = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sister|Nurse|Little|Wee|Baby)\.? |(?<=[a-z,] )[A-Z][\w'’]+ )$"
)
_AWKWARD = re.compile(
    r"\b(?:an?|the|this|my|our|his|her|their|each|every)\s+(?:an?|the|somebody|relatives?|our|my)\b"
    r"|\b(?:somebody|relative)(?:['’]s)?\s+(?:somebody|a relative|an older|a child|a teenager)\b|\w(?:somebody|a relative)"
    r"|\b(?:of|in|at|on|from|with|to|by|and|or|the|an?|for|behind|after|our|my|his|her|this|is|was|were|are|said)\s*[.,;:?!]*$"
    r"|\b(?:is|was|were|are|of|the|with)\s*[.,;]|^\W*\w{0,12}\W*$|,\s*and\s*[.,]|\bsomebody\s(?:is|was)\b.{0,4}$",
    re.IGNORECASE,
)
_TURNED = re.compile(r"\b(?:turn(?:s|ed|ing)?|is|was|be|at|i'?m|she'?s|he'?s)\s+$", re.IGNORECASE)
# What is left of "I'm" or "it's" when half of it went, and a person put where something else stood.
_TORN = re.compile(
    r"\b(?:i|it|he|she|we|you|they|that|there|won|don|didn|isn|can|couldn|wouldn|hasn)['’](?!\w)|(?:^|[.?!]\s+)(?:m|s|t|re|ve|ll|d)\s"
    r"|\b(?:ref|reference|wrong|nurse|dr|doctor|mr|mrs|ms|collection|tattoo|called|named|is|was|by|street|ward|she['’]?s|he['’]?s|new|own|"
    r"other|same|old|dear)\s[\"“]?somebody\b|\b(?:an?|the|this)\s\w+,?\ssomebody\b|^\W*somebody,|,\s*somebody\s*,|"
    r"\b(?:and|or)\s(?:he|she|they|i|we)\s*[.,;!?]|['’]s\s*,|[\"“]somebody|somebody[\"”]|\bsomebody\s+[A-Z]|[,(:]\s*[!?.]|\(\W*$|^[\"“][^\"”]*$",
    re.IGNORECASE,
)
SURE_AT = 0.6  # how surely a word must be marked before another is put in its place
_TENS = {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "twenty": 20,
}
_SWEARING = re.compile(r"\b(?:fucking|bloody|sodding|goddamn|f\*+ing|effing|bastarding)\s+", re.IGNORECASE)


def generalised(text: str, spans: Sequence[Span], words: Mapping[str, str], ages: Mapping[str, str]) -> str:
    """`text` with what narrows a person down made general or left out.

    `words` are those put in place, by kind; `ages` by age group.
    """
    capitals = _capitals(text)
    for span in sorted(spans, key=lambda s: s.start, reverse=True):
        if span.score < SURE_AT:
            continue  # a word marked in doubt is better left than turned into nonsense
        start, end, new = _general(text, span, words, ages)
        if new and _begins_sentence(text, start):
            new = new[0].upper() + new[1:]
        text = text[:start] + new + text[end:]
    return tidied(text, capitals=capitals)


def _general(
    text: str, span: Span, words: Mapping[str, str], ages: Mapping[str, str]
) -> tuple[int, int, str]:
    """What to put from where to where instead of one span."""
    start, end, piece = span.start, span.end, text[span.start : span.end]
    if text[end : end + 2] in ("'s", "’s"):
        return start, end, piece  # "this week's lesson" is no time that could be left out
    if span.kind in ("time", "date"):
        return _from(text, start, "when"), end, ""
    if span.kind in ("place", "facility", "employer"):
        return _from(text, start, "where"), end, "" if _from(text, start, "where") < start else piece
    if span.kind == "age" and (re.search(r"\byears?\s*$", piece) or _TURNED.search(text[:start])):
        return start, end, piece  # a length of time, or "turned 108"
    if span.kind == "age":
        return _aged(text, start, end, ages)
    if span.kind in ("kin", "role"):
        # Only "his gran", "the lollipop lady": what has an article or owner and is one person.
        if not _ONE.match(piece):
            return start, end, piece
        tail = piece[-2:] if piece.endswith(("'s", "’s")) else ""
        return start, end, words["kin" if span.kind == "kin" else "name"] + tail
    if span.kind in ("name", "initials", "handle"):
        while follows := _CAPITALISED.match(text, end):
            end = follows.end()
        while precedes := _CAPITALISED_BEFORE.search(text[:start]):
            start = precedes.start()
        piece = text[start:end]
        article = _BEFORE["article"].search(text[:start])
        tail = piece[-2:] if piece.endswith(("'s", "’s")) else ""
        return article.start() if article else start, end, words["name"] + tail
    if span.kind in ("record", "phone", "email", "url", "address", "postcode", "room"):
        return _from(text, start, "number"), end, ""
    return start, end, piece


def _from(text: str, start: int, what: str) -> int:
    found = _BEFORE[what].search(text[:start])
    return found.start() if found else start


def _aged(text: str, start: int, end: int, ages: Mapping[str, str]) -> tuple[int, int, str]:
    piece = text[start:end]
    if behind := _PERSON.match(text, end):
        end = behind.end()
    if before := _PERSON_BEFORE.search(text[:start]):
        start = before.start()
    article = _BEFORE["article"].search(text[:start])
    word = ages[_group(piece)]
    if article and article[1].lower() in ("the", "this", "my", "our", "another", "one"):
        word = word.split(" ", 1)[-1] if " " in word else word
    elif article:
        start = article.start()
    return start, end, word


def _group(piece: str) -> str:
    """The age group of an age as written: "4yo", "3-week-old", "sixty-two"."""
    lower = piece.lower()
    if re.search(r"\b(?:day|week|wk|month|mth)s?\b|\d\s?(?:wk|mth)", lower) or "baby" in lower:
        return "baby"
    number = re.search(r"\d{1,3}", lower)
    years = int(number[0]) if number else next((n for word, n in _TENS.items() if word in lower), 0)
    if not years:
        return "teenager" if "teen" in lower else "child" if re.search(r"year|yr", lower) else "adult"
    for group, below in (("child", 13), ("teenager", 18), ("adult", 65)):
        if years < below:
            return group
    return "old"


def is_awkward(sentence: str) -> bool:
    """Whether putting words in place of others left a sentence that nobody would say."""
    bare = sentence.strip()
    return bool(_AWKWARD.search(bare) or _TORN.search(bare)) or bare.count("somebody") > 1


def cooled(text: str) -> str:
    """Without shouting and the swearing that only adds heat."""
    text = _SWEARING.sub("", text)
    text = re.sub(r"\b[A-Z][A-Z']{3,}(?:\s+[A-Z][A-Z']+)*\b", lambda m: m[0].lower(), text)
    text = re.sub(r"!+", ".", text)
    return tidied(re.sub(r"\?{2,}", "?", text))


def tidied(text: str, *, capitals: bool | None = None) -> str:
    """Mend the gaps that leaving words out makes; sentences begin with capitals if they did."""
    capitals = _capitals(text) if capitals is None else capitals
    text = re.sub(r"\(\s*[,;]?\s*\)|\[\s*\]", "", text).strip()
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r"[ \t]+([,.;:?!)])", r"\1", text)
    text = re.sub(r"([,;])(?:\s*[,;])+", r"\1", text)
    text = re.sub(r"[,;:]\s*([.?!])", r"\1", text)
    text = re.sub(r"(^|[.?!\n])\s*[,;:.]\s*", lambda m: m[1] + (" " if m[1] in ".?!" and m[1] else ""), text)
    text = re.sub(r"(\.)\s*\.(?!\.)", r"\1", text)
    text = re.sub(r"(^|[.?!]\s+)([a-z])(?=[a-z ])", lambda m: m[1] + m[2].upper(), text) if capitals else text
    return text.strip(" \t,;")


def _capitals(text: str) -> bool:
    """Whether the text begins its sentences with capitals at all."""
    starts = re.findall(r"(?:^|[.?!]\s+)([A-Za-z])", text)
    return bool(sum(c.isupper() for c in starts) * 2 >= len(starts))


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"“'(")
    return (not before or before[-1] in ".?!\n") and text[start : start + 1].isupper()
