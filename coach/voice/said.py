"""A person's own words, copied exactly: the few worth saying back. Pure.

A quoted piece is a whole short sentence ("I have two audits nobody reads"), never more than
MOST words, and is always found in the text letter for letter.
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
    for match in _SENTENCE.finditer(text):
        clause, end = match.groups()
        if "?" in end:
            continue
        piece = clause[(found.end() if (found := _FILLER.match(clause)) else 0) :].strip(" \t\"'“”‘’,.-–—*_:")
        words = piece.split()
        if not LEAST <= len(words) <= MOST or words[-1].lower().replace("’", "'") in _HANGING:
            continue
        if piece in text and not re.search(r"[\"“”@\[\]{}<>]|https?:", piece):
            yield piece


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
