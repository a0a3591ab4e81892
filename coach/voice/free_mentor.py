"""The mentor in the free voice: a capable model writes the turn, and it is checked before it is shown.

What fails a check is tried once more with another seed; after that a written turn is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from coach.errors import ModelError
from coach.library.cards import sentences
from coach.prompts import render
from coach.voice.ledger import plain
from coach.voice.listening import Heard
from coach.voice.mentor import MAX_WORDS, Wanted, WrittenMentor

TRIES = 2
ABOUT: Mapping[str, str] = {
    "why": "why they joined the mentoring programme", "where": "where they are professionally",
    "needs": "whether they want general mentoring or help in one domain",
    "next": "one next step and when to meet again",
    "guidance": "whether gentle guidance or something more structured suits them",
    "expectations": "what each expects of the other: time, contact, privacy, honesty",
}  # fmt: skip
# Lines of the other side, another role, and advice that is not a mentor's to give.
_UNFIT = re.compile(
    r"(?:^|\n)\s*(?:mentee|mentor|user|assistant|you|me)\s*:"
    r"|\b(?:as an ai|language model|system prompt|assistant)\b"
    r"|\b\d+ ?mg\b|\b(?:diagnos|prescri)\w*|\b(?:sue|lawsuit|tribunal claim|breach of contract)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{5,}")


class FreeMentor:
    """Lets `model` word the turns that are not fixed; `written` says the rest."""

    def __init__(self, model: BaseChatModel, written: WrittenMentor) -> None:
        self._model, self._written = model, written

    def turn(self, wanted: Wanted, heard: Heard | None, text: str, said: frozenset[str], seed: int) -> str:
        """As WrittenMentor.turn."""
        # How the meeting opens and closes, and what is the matter with somebody, is never left to a model.
        if wanted.move not in ("welcome", "close") and not (heard is not None and heard.is_conduct):
            for number in range(TRIES):
                try:
                    worded = self._worded(wanted, seed + number)
                except ModelError:
                    break
                if is_fit(worded, text, said):
                    return worded
        return self._written.turn(wanted, heard, text, said, seed)

    def _worded(self, wanted: Wanted, seed: int) -> str:
        field = (wanted.slots or {}).get("field", "")
        system = render(
            "mentor", style=wanted.style, difficulty=wanted.difficulty, field=field, about=ABOUT[wanted.topic]
        )
        messages: list[BaseMessage] = [SystemMessage(system)]
        for turn in wanted.history:
            messages.append(HumanMessage(turn.content) if turn.role == "user" else AIMessage(turn.content))
        return str(self._model.invoke(messages, seed=seed).content).strip()


def is_fit(worded: str, answer: str, said: frozenset[str]) -> bool:
    """Whether a worded turn may be shown: one question, at its end, short, in its role, new, and about
    something that was said."""
    if worded.count("?") != 1 or not worded.endswith("?") or len(worded.split()) > MAX_WORDS:
        return False
    if _UNFIT.search(worded) or any(plain(s) in said for s in sentences(worded)):
        return False
    told = {w.lower() for w in _WORD.findall(answer)}
    return not told or bool(told & {w.lower() for w in _WORD.findall(worded)})
