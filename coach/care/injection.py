"""Attempts to change what the coach is: rules for their plain forms.

Pure, no model. Marks text; what is marked never reaches a model as text to act on. The
gate's classifier sees the less plain forms.
"""

from __future__ import annotations

import re

from coach.events import Signal

_PATTERNS = [
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|any)\b"
    r".{0,20}\b(?:instructions?|rules?|prompts?|guidelines?|guardrails?|programming|training)\b",
    r"\b(?:reveal|print|show|repeat|output|tell me|leak|give me)\b.{0,30}\b(?:system|hidden|initial|original|your)\b"
    r".{0,12}\b(?:prompt|instructions?|rules verbatim)\b",
    r"\byou are (?:now|no longer)\b.{0,40}\b(?:dan|jailbroken|unrestricted|evil|pirate|a different|not a coach|the coach)\b",
    r"\b(?:developer|god|dan|jailbreak|sudo|admin|debug) mode\b",
    r"<\|(?:im_start|im_end|system|user|assistant)\|>|\[/?INST\]|<<SYS>>|</?system>",
    r"(?:^|\n)\s*(?:system|assistant|new instructions?|###\s*instructions?)\s*:",
    r"\b(?:from now on|for the rest of this (?:chat|conversation))\b.{0,40}\b(?:you (?:are|will|must)|act as|answer as|reply only)\b",
    r"\bpretend (?:to be|you(?:'re| are))\b.{0,40}\b(?:no (?:rules|limits|filter)|doctor|lawyer|therapist|human)\b",
    r"\bdecode (?:this|the following)\b.{0,30}\bbase ?64\b",
]
_COMPILED = [re.compile(p, re.IGNORECASE | re.DOTALL) for p in _PATTERNS]


def signals(text: str) -> list[Signal]:
    """Every place in `text` where somebody tries to command the coach; `kind` is `injection`."""
    return [
        Signal("injection", match.start(), match.end())
        for pattern in _COMPILED
        for match in pattern.finditer(text)
    ]
