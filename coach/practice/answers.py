"""What is strong and what is weak about an answer, by its form, with the words that show it. Pure.

Whether it is true or wise is nobody's to say here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from coach.voice.said import pieces, said_back

# A quality, and the words by which it shows; the first of them that fits names the answer.
QUALITIES: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "asks": r"\b(?:how|what|when|where|who|would you|do you|could you|can you|should i|may i|is it)\b[^.?!]*\?",
        "plan": r"\b(?:i(?:'ll| will| am going to|'m going to)|by (?:the end|next|mon|tues|wednes|thurs|fri|satur|sun|jan|feb|march|april|"
                r"june|july|aug|sep|oct|nov|dec)|before we meet|next (?:week|month|time)|this week|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
        "own_need": r"\b(?:i(?:'d like| would like| need| want| am looking for|'m looking for|'m after)|help (?:me )?(?:with|to)|somebody to|"
                    r"someone to)\b",
        "boundary": r"\b(?:i (?:work|learn|think|do) best|i (?:can(?:no|')t|don't|won't) (?:do|work|meet|manage|promise|take)|not (?:before|after)|"
                    r"please (?:don't|do not|tell|be)|as long as|i go quiet|deadlines?|only (?:on|after|before))\b",
        "honest": r"\b(?:honest(?:ly)?|to be fair|i(?:'m| am) (?:not sure|afraid|ashamed|scared|worried|lost|stuck)|i (?:doubt|failed|struggle|fear)|"
                  r"i don't know (?:what|how|if|whether|why)|i find it hard|imposter|impostor|fraud)\b",
        "reason": r"\b(?:because|since (?:i|my|the|we)|so that|which is why|that's why|the reason)\b",
        "concrete": r"\b\d+\b|\b(?:for (?:example|instance)|last (?:week|month|year|spring|summer|autumn|winter|night)|once|the day|"
                    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty) \w+)\b",
    }.items()
}  # fmt: skip
_HEDGES = re.compile(
    r"\b(?:stuff|things?|something|somehow|sort of|kind of|kinda|maybe|perhaps|i guess|i suppose|probably|not sure|whatever|"
    r"in general|generally|better|improve|develop|grow|everything|a bit of|various|etc)\b",
    re.IGNORECASE,
)
_SORRY = re.compile(
    r"\b(?:sorry|apologi[sz]e|i know (?:it|this|that)'?s (?:silly|stupid|boring)|just (?:a|an|some)|waste (?:of )?your time)\b",
    re.IGNORECASE,
)
SHORT, LONG = 4, 130  # words
LONGEST_ITEM = 5  # words; a longer one is a sentence and no entry of a list


def length(text: str) -> int:
    """Words in `text`."""
    return len(re.findall(r"[\w'’-]+", text))


def qualities(text: str) -> Iterator[tuple[str, str]]:
    """What is good about an answer, each with the words that show it, copied exactly."""
    if length(text) <= SHORT:
        return
    for name, pattern in QUALITIES.items():
        if name == "asks":
            found = pattern.search(text)
            if found and length(found[0]) <= 16:
                yield name, found[0].rstrip("?").strip()
            continue
        shown = [piece for piece in pieces(text) if pattern.search(piece)]
        whole = said_back(text) if pattern.search(text) else None
        if shown:
            yield name, max(shown, key=len)
        elif whole is not None and name in ("reason", "plan", "honest"):
            yield name, whole


def faults(text: str, heard: str | None) -> Iterator[str]:
    """What is weak about an answer; `heard` is what it was taken for."""
    conduct = (heard or "").removeprefix("conduct/")
    words = length(text)
    if conduct == "hostile":
        yield "hostile"
    if conduct == "do-it-for-me" or heard in ("next/mentor-to-decide",):
        yield "hands_over"
    if words <= SHORT:
        yield "short"
    if words >= LONG or conduct == "rambling":
        yield "rambling"
    if _SORRY.search(text):
        yield "apology"
    if is_list(text):
        yield "list"
    if words > SHORT and is_vague(text):
        yield "vague"


def is_list(text: str) -> bool:
    """Whether several things are named and none put first."""
    items = [length(item) for item in re.split(r"[,;/]|\b(?:and|also|plus)\b", text) if item.strip()]
    return len(items) >= 3 and re.search(r"[,;/]", text) is not None and max(items) <= LONGEST_ITEM


def is_vague(text: str) -> bool:
    """Whether it is general words for the most part."""
    hedges = len(_HEDGES.findall(text))
    return hedges >= 1 and hedges * 9 >= length(text) and not QUALITIES["concrete"].search(text)


def is_strong(text: str) -> bool:
    """Whether it is concrete, in the person's own terms, or has a reason in it."""
    found = {name for name, pattern in QUALITIES.items() if pattern.search(text)}
    return (
        length(text) >= 12 and not is_vague(text) and bool(found & {"concrete", "reason", "boundary", "plan"})
    )
