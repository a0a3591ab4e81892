"""A person's own words, copied exactly: the pieces that could be said back. Pure.

A quoted piece is a whole short sentence ("I have two audits nobody reads") or whole clauses of one,
never more than MOST words, and is always found in the text letter for letter. Which of them is worth
saying is heard (coach.voice.listening); `said_back` is a guess by form, for where nobody listens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LEAST, MOST = 2, 16
# A whole sentence or line: half of one often says the opposite of the whole ("I'm a ditherer but…").
_SENTENCE = re.compile(r"([^.?!;\n…()]+)([.?!;…)]*)")
# What a clause begins with and says nothing by.
_FILLER = re.compile(
    r"^(?:(?:um+|uh+|erm?|well|so|ok(?:ay)?|yeah|(?:yes|no|right|like|look)(?=,)|honestly|frankly|basically|actually|maybe|perhaps|also|and|"
    r"but|or|because|cause|cos|then|which|that|though|although|just|to be honest|tbh|i guess|i suppose|i think|i mean|you know|"
    r"i don'?t know|idk|sort of|kind of|since|when|while|if|my answer is)(?![\w'’-])[\s,]*)+",
    re.IGNORECASE,
)
# Where a clause may end: at a mark, or before what joins it to the next.
_BETWEEN = re.compile(
    r"[,:](?=\s)|\s[-–—]+(?=\s)|[–—]|\s(?=(?:and|but|so|because|cos|though|although|which|while|then)\s)"
)
_EDGES = " \t\"'“‘”’,.-–—*_:"
# Words that may not stand last.
_HANGING = frozenset(
    ("a", "an", "the", "my", "our", "his", "her", "their", "of", "to", "for", "with", "at", "from", "is", "was", "are", "like",
     "i", "and", "or", "but", "very", "really", "it's", "i'm", "be", "been", "have", "had", "not", "that", "this", "by", "as",
     "any", "some", "no", "more", "who", "which", "when", "would", "could", "should", "will", "can", "than", "about", "i've", "it", "basically", "even", "just", "like", "used", "most", "into", "out", "do", "did")
)  # fmt: skip
_PLAIN = frozenset(
    ("thing", "things", "really", "something", "anything", "everything", "because", "people", "would", "could", "should", "always",
     "little", "better", "probably", "thanks", "thank", "please", "sorry", "though", "there", "being")
)  # fmt: skip


def pieces(text: str) -> Iterator[str]:
    """Every short sentence of `text` that could be said back, in order; no questions."""
    for match in _sentences(text):
        place = _bare(match[1], 0, len(match[1]))
        if place and match[1][slice(*place)].split()[-1].lower().replace("’", "'") not in _HANGING:
            yield match[1][slice(*place)]


def clauses(text: str) -> Iterator[tuple[int, int]]:
    """Where every short run of whole clauses of one sentence stands in `text`, whole sentences included."""
    for match in _sentences(text):
        cuts = [0, *(found.start() for found in _BETWEEN.finditer(match[1])), len(match[1])]
        for first, begin in enumerate(cuts):
            for stop in cuts[first + 1 :]:
                if (place := _bare(match[1], begin, stop)) is not None:
                    yield match.start() + place[0], match.start() + place[1]


def _sentences(text: str) -> Iterator[re.Match[str]]:
    return (match for match in _SENTENCE.finditer(text) if "?" not in match[2])


def _bare(sentence: str, begin: int, stop: int) -> tuple[int, int] | None:
    """The part of `sentence` between two cuts without what it begins with and says nothing by; None if it
    cannot be said back."""
    while begin < stop and sentence[begin] in _EDGES:
        begin += 1
    if found := _FILLER.match(sentence[begin:stop]):
        begin += found.end()
    piece = sentence[begin:stop].strip(_EDGES)
    words = piece.split()
    if not LEAST <= len(words) <= MOST:
        return None
    if stop < len(sentence) and words[-1].lower().replace("’", "'") in _HANGING:
        return None
    if re.search(r"[\"“”@\[\]{}<>]|https?:", piece):
        return None
    begin = sentence.index(piece, begin)
    return begin, begin + len(piece)


def said_back(text: str) -> str | None:
    """The piece of `text` most worth saying back, or None."""
    found = list(pieces(text))
    return max(found, key=_worth) if found else None


def _worth(piece: str) -> float:
    words = re.findall(r"[\w'’]+", piece.lower())
    telling = [w for w in words if len(w) > 4 and w not in _PLAIN]
    worth = 0.6 * min(len(telling), 4) + 1.0 * any(w[0].isdigit() for w in words)
    worth += 0.5 * bool({"i", "my", "me", "i'm", "i’m", "i've"} & set(words)) + 0.15 * min(len(words), 6)
    return worth - 1.0 * (len(words) < 3)
