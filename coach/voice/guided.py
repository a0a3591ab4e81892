"""The guided voice: finds the situation and says an answer that a person wrote for it.

For models too small to be trusted with wording. A first message is recognised (or the
coach asks back); a follow-up stays in its situation and goes on; nothing is said twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from coach.classifier import Encode, Encoder, LinearClassifier, Maker
from coach.events import Choice, Citation, Origin, Reply, Route, Sentence, Turn
from coach.library.cards import (
    CITATION,
    Answer,
    Card,
    FollowKind,
    Situation,
    sentences,
)
from coach.voice.exchanges import MET_AT, Exchanges
from coach.voice.ledger import Ledger, Place, is_new
from coach.voice.recogniser import Recognised, Recogniser
from coach.voice.stated import contradicts, leans_back, stated, turns_away

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

FOLLOW_FILE = "follow.npz"
NEW = "new"
# Chosen on the dev messages, see eval/LOG.md.
ANSWER_AT, CARD_AT, NEW_AT, LEAVE_AT = 0.5, 0.7, 0.6, 0.85
# Read again with all that was told since, the first reading has fallen, and another stands.
FALLEN_AT, RISEN_AT = 0.06, 0.6
SHORT_AT = 0.9
OFFERED = 3


@dataclass(frozen=True)
class Heard:
    """One message in its conversation.

    `vector` is its encoding as for search, `sense` that of the tuned encoder, shape (width,).
    """

    message: str
    history: tuple[Turn, ...]
    vector: NDArray[np.float32]
    sense: NDArray[np.float32]


class GuidedVoice:
    """Says written answers. See the module's docstring."""

    name = "guided"

    def __init__(
        self,
        cards: Sequence[Card],
        recogniser: Recogniser,
        follow: LinearClassifier,
        exchanges: Exchanges,
        encoder: Encoder,
        tuned: Encoder,
        phrases: Mapping[str, Sequence[str]],
    ) -> None:
        self._cards = {card.id: card for card in cards}
        self._recogniser = recogniser
        self._follow, self._exchanges = follow, exchanges
        self._encoder, self._tuned = encoder, tuned
        self._phrases = phrases
        self._ledger = Ledger(cards)
        self._by_choice = {s.choice: s.id for s in recogniser.situations.values()}

    def speak(self, heard: Heard) -> Reply:
        """The reply to one message: an answer, the next turn of its situation, or a question back."""
        said = self._ledger.said(heard.history)
        chosen = self._by_choice.get(heard.message.strip())
        if chosen is not None:
            return self._answer(self._recogniser.situations[chosen], heard, said, 1.0)
        place = self._ledger.place(heard.history)
        if place is not None and not self._asked_back(heard.history):
            return self._go_on(place, heard, said)
        return self._begin(heard, said)

    def _begin(self, heard: Heard, said: frozenset[str]) -> Reply:
        """A first message, or one that says again what the coach did not understand."""
        earlier = [t.content for t in heard.history if t.role == "user"][-1:]
        asked = self._asked_back(heard.history)
        message = f"{earlier[0]}\n{heard.message}" if asked and earlier else heard.message
        sense = self._tuned.encode([message])[0] if message != heard.message else heard.sense
        recognised = self._recogniser.recognise(message, sense)
        # Three words carry little, however sure the classifier is of them.
        if recognised.confidence >= (ANSWER_AT if len(message.split()) > 3 else SHORT_AT):
            return self._answer(
                self._recogniser.situations[recognised.best],
                heard,
                said,
                recognised.confidence,
            )
        card, share = next(iter(recognised.cards.items()))
        if share >= CARD_AT or asked:
            reply = self._neutral(self._cards[card], said, share)
            if reply is not None:
                return reply
        return self._ask_back(recognised, said)

    def _go_on(self, place: Place, heard: Heard, said: frozenset[str]) -> Reply:
        """A follow-up: stay in the situation and say what comes next, or leave on a clear change."""
        kinds = self._follow.probabilities(heard.sense)
        changed = self._other_subject(place, heard, kinds[NEW])
        if changed is not None:
            situation = self._recogniser.situations[changed.best]
            return self._answer(situation, heard, said, changed.confidence)
        kind = max((k for k in kinds if k != NEW), key=lambda k: kinds[k])
        if place.situation is None:
            return self._after_neutral(place, heard, said)
        situation = self._recogniser.situations[place.situation]
        if kind == "misunderstood":
            return self._ask_back(self._told_so_far(heard, frozenset({situation.id})), said)
        better = self._better_reading(situation, heard)
        if better is not None:
            return self._answer(self._recogniser.situations[better.best], heard, said, better.confidence)
        if contradicts(situation.presumes, stated(heard.message)):
            # What they say now does not go with what was presumed; better another than a wrong one.
            recognised = self._told_so_far(heard, frozenset({situation.id}))
            if recognised.confidence < ANSWER_AT:
                return self._ask_back(recognised, said)
            other = self._recogniser.situations[recognised.best]
            return self._answer(other, heard, said, recognised.confidence)
        for met in self._exchanges.ranked(situation.id, heard.message):
            if met.chance < MET_AT:
                break
            if is_new(met.exchange.say, said):
                return self._reply(
                    met.exchange.say, situation.id, met.chance, place.card, kind=met.exchange.id
                )
        for text in self._next_turns(situation, kind):
            if is_new(text, said):
                return self._reply(text, situation.id, kinds[kind], place.card, kind=kind)
        fresh = self._fresh_answer(situation, heard, said)
        if fresh is not None:
            return self._reply(fresh, situation.id, kinds[kind], place.card, kind=kind)
        return self._neutral(self._cards[place.card], said, kinds[kind]) or self._spent(said, kind)

    def _better_reading(self, situation: Situation, heard: Heard) -> Recognised | None:
        """Another situation, where all that was told by now hardly fits the one it was read as."""
        first = next((t.content for t in heard.history if t.role == "user"), "")
        if len(heard.message.split()) <= 3 or self._recogniser.is_sure(
            situation.id, self._tuned.encode([first])[0]
        ):
            return None
        again = self._told_so_far(heard)
        if again.confidence < RISEN_AT or dict(again.situations)[situation.id] > FALLEN_AT:
            return None
        return again

    def _other_subject(self, place: Place, heard: Heard, new: float) -> Recognised | None:
        """What a follow-up changes to, if it clearly does.

        People tell more in long stories that look like another situation altogether, so it
        takes words that announce a change, or a message that stands wholly on its own.
        """
        if len(heard.message.split()) < 6:
            return None
        announced = turns_away(heard.message)
        if not announced and (new < NEW_AT or leans_back(heard.message)):
            return None
        recognised = self._recogniser.recognise(heard.message, heard.sense)
        if self._recogniser.card_of[recognised.best] == place.card:
            return None
        return recognised if recognised.confidence >= (ANSWER_AT if announced else LEAVE_AT) else None

    def _after_neutral(self, place: Place, heard: Heard, said: frozenset[str]) -> Reply:
        """After an answer that presumed nothing, what the person adds decides the situation."""
        recognised = self._told_so_far(heard)
        inside = [
            (name, chance)
            for name, chance in recognised.situations
            if self._recogniser.card_of[name] == place.card
        ]
        best, chance = inside[0]
        if chance >= ANSWER_AT / 2:
            return self._answer(self._recogniser.situations[best], heard, said, chance)
        return self._neutral(self._cards[place.card], said, chance) or self._spent(said, "answer")

    def _told_so_far(self, heard: Heard, turned_down: frozenset[str] = frozenset()) -> Recognised:
        """The situations as recognised from everything the person has said."""
        told = "\n".join([*(t.content for t in heard.history if t.role == "user"), heard.message])
        return self._recogniser.recognise(told, self._tuned.encode([told])[0], turned_down)

    def _next_turns(self, situation: Situation, kind: str) -> Iterable[str]:
        if kind in ("why", "how", "tried"):
            yield from situation.follow.of(cast(FollowKind, kind))
        yield from situation.follow.answer

    def _answer(
        self,
        situation: Situation,
        heard: Heard,
        said: frozenset[str],
        confidence: float,
    ) -> Reply:
        card = self._recogniser.card_of[situation.id]
        text = self._fresh_answer(situation, heard, said)
        if text is None:
            return self._neutral(self._cards[card], said, confidence) or self._spent(said, "again")
        return self._reply(text, situation.id, confidence, card)

    def _fresh_answer(self, situation: Situation, heard: Heard, said: frozenset[str]) -> str | None:
        """The unsaid answer nearest to the message, with the person's own words where invited."""
        unsaid = [answer for answer in situation.answers if is_new(answer.text, said)]
        if not unsaid or contradicts(situation.presumes, stated(heard.message)):
            return None
        if len(unsaid) > 1:
            cosines = self._encoder.encode([a.text for a in unsaid]) @ heard.vector
            unsaid = [unsaid[int(cosines.argmax())]]
        answer = unsaid[0]
        echoed = echo(situation, heard.message)
        return answer.text.replace(answer.open, echoed, 1) if echoed else answer.text

    def _neutral(self, card: Card, said: frozenset[str], confidence: float) -> Reply | None:
        unsaid: Sequence[Answer] = [a for a in card.neutral if is_new(a.text, said)]
        return self._reply(unsaid[0].text, None, confidence, card.id, kind="neutral") if unsaid else None

    def _ask_back(self, recognised: Recognised, said: frozenset[str]) -> Reply:
        text = self._phrase("ask_back", said)
        choices = tuple(
            Choice(name, self._recogniser.situations[name].choice)
            for name, _ in recognised.situations[:OFFERED]
        )
        return fixed(text, "ask_back", choices=choices, confidence=recognised.confidence)

    def _spent(self, said: frozenset[str], kind: str) -> Reply:
        return fixed(self._phrase("spent", said), "answer", kind=kind)

    def _phrase(self, name: str, said: frozenset[str]) -> str:
        variants = self._phrases[name]
        return next((text for text in variants if is_new(text, said)), variants[-1])

    def _asked_back(self, history: Sequence[Turn]) -> bool:
        last = next((t.content for t in reversed(history) if t.role == "assistant"), "")
        return any(last.startswith(text) for text in self._phrases["ask_back"])

    def _reply(
        self,
        text: str,
        situation: str | None,
        confidence: float,
        card: str,
        kind: str = "",
    ) -> Reply:
        shown, citations = numbered(text, {name: c.title for name, c in self._cards.items()})
        return Reply(
            reply=shown,
            route="answer",
            citations=citations,
            situation=situation,
            confidence=confidence,
            sentences=tuple(
                Sentence(part, 1.0, _cited(part, citations) or card, "card") for part in sentences(shown)
            ),
            kind=kind,
        )


def fixed(
    text: str,
    route: Route,
    *,
    kind: str = "",
    choices: tuple[Choice, ...] = (),
    confidence: float = 0.0,
    origin: Origin = "fixed",
) -> Reply:
    """A reply in fixed words, which rest on no card."""
    return Reply(
        reply=text,
        route=route,
        choices=choices,
        confidence=confidence,
        kind=kind,
        sentences=tuple(Sentence(part, 1.0, None, origin) for part in sentences(text)),
    )


def numbered(text: str, titles: Mapping[str, str]) -> tuple[str, tuple[Citation, ...]]:
    """Turn `[card-id]` marks into [1], [2] in order of appearance, and say what they point to."""
    numbers: dict[str, int] = {}

    def mark(match: re.Match[str]) -> str:
        return f" [{numbers.setdefault(match[1], len(numbers) + 1)}]"

    shown = CITATION.sub(mark, text)
    return shown, tuple(Citation(n, card, titles[card]) for card, n in numbers.items())


def echo(situation: Situation, message: str) -> str | None:
    """The opening with the person's own words in it, or None where nothing clearly fits."""
    invited = situation.echo
    if invited is None or "other" in stated(message):
        return None
    found: list[str] = []
    if "number" in invited.kinds:
        nouns = "|".join(re.escape(noun) for noun in sorted(invited.nouns, key=len, reverse=True))
        found += [m[0] for m in re.finditer(rf"(?<![\w.,])(?:\d[\d,]*k?|\d+\.\d+k)\s+(?:{nouns})\b", message)]
    if "quote" in invited.kinds:
        quotes = re.findall(r"[“\"]([^“”\"\n]{3,60})[”\"]", message)
        found += [f"“{quote.strip()}”" for quote in quotes if len(quote.split()) <= 8]
    if len(found) != 1:
        return None
    opening = invited.open.replace("{echo}", found[0])
    return opening[0].upper() + opening[1:]


def _cited(sentence: str, citations: Sequence[Citation]) -> str | None:
    return next((c.card for c in citations if f"[{c.n}]" in sentence), None)


def make_follow(cards: Sequence[Card], examples: Mapping[str, Sequence[str]]) -> Maker:
    """A maker of the classifier of follow-ups: the kinds given, and `new` for a change of topic."""

    def make(folder: Path, encode: Encode) -> None:
        pairs = [(text, kind) for kind, texts in examples.items() for text in texts]
        pairs += [(b_text, "but") for card in cards for s in card.situations
                  for b in s.follow.but for b_text in b.examples]  # fmt: skip
        pairs += [(text, NEW) for card in cards for s in card.situations for text in s.examples[:8]]
        fitted = LinearClassifier.fit(
            encode([text for text, _ in pairs]),
            [kind for _, kind in pairs],
            inverse_penalty=5.0,
        )
        fitted.save(folder / FOLLOW_FILE)

    return make
