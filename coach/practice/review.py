"""Review: one draft, from what was pasted to a judgement, a safer version, and what is said about it.

    listen -> mind -> read -> mend -> tell

It goes forward once. No language model is asked: what is judged is the draft and the facts
stated beside it, and a version is offered only after it was judged again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypedDict

import numpy as np
from langgraph.graph import END, START, StateGraph

from coach.care import crisis
from coach.care.framing import draft_in
from coach.care.gate import Gate
from coach.care.identifiers import Forms
from coach.care.judgement import AXIS_AT, FORMAL, NAMES, Judgement, Mark, consented, judged
from coach.care.parts import pieces, sentence_places, sentences_of
from coach.care.reading import AXES, Read, Reading
from coach.care.rewrite import cooled, generalised, is_awkward
from coach.classifier import Encoder, StateReader
from coach.events import Axis, Facts, Finding, Review, Span, Timing, cleaned

MAX_CHARACTERS = 10_000
CARDS: Mapping[str, str] = {
    "privacy": "recognised-by-combination", "anger": "not-when-angry", "kindness": "be-kind",
    "claims": "claims-need-ground", "purpose": "readable-for-everyone",
}  # fmt: skip
CARD_OF_KIND: Mapping[str, str] = dict.fromkeys(
    ("name", "initials", "handle", "email", "phone", "url", "address", "postcode", "record", "room", "date"),
    "direct-identifiers",
)
# Risk under which a version counts as safe; stricter than for a draft, since the words are the coach's.
SAFE_AT = 0.3
# By how much the risk must fall (log odds) and how many details must go, or half of them, before a version is
# worth showing.
FALLS, LESS = 0.5, 2
# Of the words, and of the meaning (cosine of the encoder's vectors), at least; less would be another post.
KEPT, MEANS = 0.5, 0.6
DETAIL_AT = 0.6  # how surely a detail is marked before it counts as one
LIFTS_AT = 0.5  # how surely a draft lifts somebody else up before that is said
AIM_AT = 0.1  # cosine between a draft and what it is for, under which the coach asks
SHOWN_PARTS = 4  # how many of the marked words a sentence names


class Proposing(Protocol):
    """A capable model that can word a version of a draft where `axes` speak against it."""

    def of(self, draft: str, axes: Sequence[Axis]) -> str | None: ...


class State(TypedDict, total=False):
    """What a review gathers on its way."""

    typed: str
    platform: str
    facts: Facts
    safe: bool
    started: float
    draft: str
    offset: int
    reads: list[tuple[int, Read]]
    judgement: Judgement
    lifts: bool
    rewrite: str | None
    is_safe: bool
    review: Review


class ReviewFlow:
    """The Review flow over ready-made parts."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        gate: Gate,
        states: StateReader,
        reading: Reading,
        forms: Forms,
        words: Mapping[str, Any],
        country: str,
        aim: str = "",
        proposals: Proposing | None = None,
    ) -> None:
        self._encoder, self._gate = encoder, gate
        self._states, self._reading, self._forms = states, reading, forms
        self._words, self._country, self._proposals = words, country, proposals
        self._aim = aim
        self._graph = self._drawn()

    def _drawn(self) -> Any:
        graph = StateGraph(State)
        graph.add_node("listen", self._listen)
        graph.add_node("mind", self._mind)
        graph.add_node("read", self._read)
        graph.add_node("mend", self._mend)
        graph.add_node("tell", self._tell)
        graph.add_edge(START, "listen")
        graph.add_conditional_edges("listen", lambda s: END if "review" in s else "mind")
        graph.add_conditional_edges("mind", lambda s: END if "review" in s else "read")
        graph.add_edge("read", "mend")
        graph.add_edge("mend", "tell")
        graph.add_edge("tell", END)
        return graph.compile()

    def review(
        self, draft: str, *, platform: str = "", facts: Facts | None = None, safe: bool = False
    ) -> Review:
        """Judge one draft. Offsets of findings are into `draft` as given; `safe`: the person has said that
        no danger is meant by it."""
        state: State = {
            "typed": draft,
            "platform": platform,
            "facts": facts or Facts(),
            "safe": safe,
            "started": time.perf_counter(),
        }
        review: Review = self._graph.invoke(state)["review"]
        return review

    def _listen(self, state: State) -> State:
        text = cleaned(state["typed"])
        if not text:
            return {"review": self._closed(state, self._words["nothing"], "refused")}
        if len(state["typed"]) > MAX_CHARACTERS:
            # Danger is never too long to be heard.
            level = crisis.level(text)
            if level != "none":
                return {"review": self._crisis(state, level)}
            return {"review": self._closed(state, self._words["too_long"], "refused")}
        reads = self._reads(state["typed"])
        asides = [(a + at, b + at, odds) for at, read in reads for a, b, odds in read.asides]
        start, end = draft_in(state["typed"], asides)
        draft = state["typed"][start:end]
        if draft != state["typed"]:
            reads = self._reads(draft)
        return {"draft": draft, "offset": start, "reads": reads}

    def _mind(self, state: State) -> State:
        """Danger first, in all that was typed: the draft may not be what matters."""
        level = "none" if state["safe"] else self._gate.danger(cleaned(state["typed"]), "review")
        return {"review": self._crisis(state, level)} if level != "none" else {}

    def _read(self, state: State) -> State:
        reads = state["reads"]
        judgement = self._judgement(state["draft"], reads, state)
        aim = (state["facts"].aim or self._aim).strip()
        if aim and float(np.dot(*self._encoder.encode([aim, state["draft"]]))) < AIM_AT:
            judgement = judgement.off_aim()
        return {"judgement": judgement, "lifts": max(read.lifts for _, read in reads) >= LIFTS_AT}

    def _judged(self, draft: str, state: State) -> Judgement:
        return self._judgement(draft, self._reads(draft), state)

    def _judgement(self, draft: str, reads: Sequence[tuple[int, Read]], state: State) -> Judgement:
        return judged(draft, reads, self._forms.find(draft), state["facts"], state["platform"])

    def _reads(self, text: str) -> list[tuple[int, Read]]:
        """`text` read in pieces, each with its offset."""
        return [(at, self._piece(part)) for at, part in pieces(text)]

    def _piece(self, text: str) -> Read:
        return self._reading.read(text, *self._states.states(text))

    # ---- a version that gives less away

    def _mend(self, state: State) -> State:
        before, draft = state["judgement"], state["draft"]
        if before.verdict == "post" or before.notes or not in_english(draft):
            return {"rewrite": None}
        against: list[Axis] = [axis for axis in AXES if before.axes[axis] >= AXIS_AT]
        proposals = None if self._gate.commands(draft) else self._proposals
        if proposals is not None and (wording := proposals.of(draft, against)):
            after = self._after(wording, state)
            if after is not None and is_safe(before, after):
                return {"rewrite": wording, "is_safe": True}
        # By rules it is a step and never called safe: read by hand, half of what the reading held for safe
        # was not (eval/LOG.md). Half a sneer or half a false claim is no step.
        step = cooled(draft) if against == ["anger"] else None
        if against == ["privacy"]:
            step = self._general(draft, state)
        is_step = step is not None and self._after(step, state) is not None
        return {"rewrite": step if is_step else None, "is_safe": False}

    def _after(self, version: str, state: State) -> Judgement | None:
        """`version` judged, if it is worth it: changed, still the same post, no worse, and telling clearly
        less."""
        before, draft = state["judgement"], state["draft"]
        if version == draft or len(version.split()) < max(5, KEPT * len(draft.split())):
            return None
        if float(np.dot(*self._encoder.encode([draft, version]))) < MEANS:
            return None
        after = self._judged(version, state)
        told, tells = details(before), details(after)
        less = told - tells >= LESS or 2 * tells <= told
        fell = _odds(before.risk) - _odds(after.risk) >= FALLS
        return after if less and fell and no_worse(before, after) else None

    def _general(self, draft: str, state: State) -> str | None:
        """Every sentence with its words made general; None if one would then be nonsense."""
        general = self._words["general"]
        out = []
        for sentence in sentences_of(draft):
            bare = sentence.rstrip()
            said = generalised(bare, self._judged(bare, state).spans, general, general["ages"])
            if said != bare and is_awkward(said):
                return None
            out.append(said + sentence[len(bare) :])
        return "".join(out).strip()

    # ---- what is said

    def _tell(self, state: State) -> State:
        judgement, draft, offset = state["judgement"], state["draft"], state["offset"]
        marks = [*judgement.marks, *self._hot(draft, judgement)]
        if judgement.axes["privacy"] >= AXIS_AT and not any(m.axis == "privacy" for m in marks):
            marks.append(Mark("privacy", "story", 0, len(draft)))
        findings = tuple(self._finding(draft, offset, mark) for mark in sorted(marks, key=lambda m: m.start))
        reply = self._reply(state, findings)
        axes = {axis: round(float(judgement.axes[axis]), 3) for axis in AXES}
        return {
            "review": Review(
                verdict=judgement.verdict,
                axes=axes,
                findings=findings,
                rewrite=state["rewrite"],
                rewrite_is_safe=state["rewrite"] is not None and state["is_safe"],
                reply=reply,
                route="answer",
                timing=self._timing(state),
            )
        }

    def _hot(self, draft: str, judgement: Judgement) -> list[Mark]:
        """The sentences that carry an axis which is judged as a whole."""
        axes: list[Axis] = [a for a in ("anger", "kindness", "claims") if judgement.axes[a] >= AXIS_AT]
        if not axes:
            return []
        kinds = {"anger": "hot", "kindness": "contempt", "claims": "unsupported"}
        found = []
        parts = sentence_places(draft)
        reads = [self._piece(draft[start:end]) for start, end in parts] if len(parts) > 1 else []
        for axis in axes:
            hot = [p for p, read in zip(parts, reads, strict=False) if read.axes[axis] >= AXIS_AT]
            for start, end in hot or [(0, len(draft))]:
                found.append(Mark(axis, kinds[axis], start, end))
        return found

    def _finding(self, draft: str, offset: int, mark: Mark) -> Finding:
        whys = self._words["why"][mark.axis]
        return Finding(
            axis=mark.axis,
            kind=mark.kind,
            start=mark.start + offset,
            end=mark.end + offset,
            text=draft[mark.start : mark.end],
            why=whys[mark.kind],
            card=CARD_OF_KIND.get(mark.kind, CARDS[mark.axis]),
        )

    def _reply(self, state: State, findings: Sequence[Finding]) -> str:
        words, judgement = self._words, state["judgement"]
        said: list[str] = []
        if judgement.notes:
            said.append(words["verdicts"]["notes"])
        elif judgement.verdict == "post":
            said.append(self._posted(state, findings))
        else:
            said += self._reasons(state, findings)
        if consented(state["facts"]):
            said.append(words["consent_noted"])
        if not in_english(state["draft"]):
            said.append(words["not_english"])
        return " ".join([*said, words["caution"]])

    def _posted(self, state: State, findings: Sequence[Finding]) -> str:
        verdicts, judgement = self._words["verdicts"], state["judgement"]
        minor = next((f.kind for f in findings if f.kind in self._words["minor"]), None)
        for name, kinds in (("named", NAMES), ("numbered", FORMAL)):
            if found := [f.text for f in findings if f.kind in kinds]:
                minor_words = self._words["minor"][name].replace("{parts}", quoted(found))
                return str(verdicts["post_minor"][0]).replace("{minor}", minor_words)
        if minor is not None:
            return str(verdicts["post_minor"][0]).replace("{minor}", self._words["minor"][minor])
        # The surest words only where nothing at all was seen.
        calm = max(judgement.axes.values()) < AXIS_AT / 2 and not findings
        if calm and state["lifts"]:
            return str(verdicts["post_lifts"])
        return str(verdicts["post"][0 if calm else 1])

    def _reasons(self, state: State, findings: Sequence[Finding]) -> list[str]:
        words, judgement = self._words, state["judgement"]
        axes = sorted(judgement.axes, key=lambda axis: -judgement.axes[axis])
        reasons = [a for a in axes if judgement.axes[a] >= AXIS_AT] or axes[:1]
        opening = words["verdicts"][judgement.verdict]
        said = [opening if isinstance(opening, str) else opening[reasons[0]]]
        for axis in reasons[:2]:
            said += self._reason(axis, state, [f for f in findings if f.axis == axis])
        if judgement.verdict == "wait":
            said.append(words["offers"]["hold"])
        elif state["rewrite"] is not None:
            said.append(words["offers"]["rewrite" if state["is_safe"] else "step"])
        else:
            said.append(words["offers"]["none"][reasons[0]])
        return said

    def _reason(self, axis: Axis, state: State, findings: Sequence[Finding]) -> list[str]:
        parts = quoted([f.text for f in findings])
        if axis != "privacy":
            whole = not findings or len(findings[0].text) > 0.9 * len(state["draft"])
            if axis == "purpose":
                return [f.why for f in findings[:1]]
            text = self._words["reasons"][f"{axis}_whole" if whole else axis]
            return [text.replace("{parts}", parts)]
        words = self._words["privacy"]
        direct = [f.text for f in findings if CARD_OF_KIND.get(f.kind) and f.kind not in ("date", "room")]
        spans = [f for f in findings if f.kind != "story"]
        telling = [f.text for f in spans if len(f.text) > 3 or any(c.isdigit() for c in f.text)]
        parts = quoted(telling or [f.text for f in spans])
        said = []
        if direct:
            said.append(words["direct"].replace("{parts}", quoted(direct)))
        elif len(spans) >= 2:
            said.append(words["combination"].replace("{parts}", parts))
        elif spans:
            said.append(words["one_part"].replace("{parts}", parts))
        else:
            said.append(words["told_as_a_case"])
        part = self._breaks_it(state, spans)
        if part is not None:
            said.append(words["change"].replace("{part}", f"“{part}”"))
        return said

    def _breaks_it(self, state: State, findings: Sequence[Finding]) -> str | None:
        """The one marked piece without which most of the risk of being recognised is gone."""
        before, draft, at = state["judgement"].axes["privacy"], state["draft"], state["offset"]
        general = self._words["general"]
        best: tuple[float, str] | None = None
        for f in findings[:6]:
            span = Span(f.kind, f.start - at, f.end - at, 1.0)
            after = self._judged(generalised(draft, [span], general, general["ages"]), state).axes["privacy"]
            if after < before / 2 and (best is None or after < best[0]):
                best = (after, f.text)
        return best[1] if best else None

    def _crisis(self, state: State, level: str) -> Review:
        return self._closed(state, self._gate.words.in_danger(level, self._country), "crisis")

    def _closed(self, state: State, said: str, route: Any) -> Review:
        return Review("keep", dict.fromkeys(AXES, 0.0), (), None, said, route, timing=self._timing(state))

    @staticmethod
    def _timing(state: State) -> Timing:
        total = (time.perf_counter() - state["started"]) * 1000
        return Timing(first_sentence_ms=total, total_ms=total)


def _odds(risk: float) -> float:
    bounded = min(max(risk, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))


def is_safe(before: Judgement, after: Judgement) -> bool:
    """Whether the risk fell far enough, on every axis that spoke against the draft, and by what is said no
    more: of surely marked details that could narrow somebody down at most one is left. A reading alone
    can be led astray by a gap."""
    against = [axis for axis in AXES if before.axes[axis] >= AXIS_AT]
    still = max([after.risk, *(after.axes[axis] for axis in against)])
    return still < SAFE_AT and ("privacy" not in against or details(after) <= 1)


def details(judgement: Judgement) -> int:
    """How many surely marked details could narrow a person down."""
    return sum(span.score >= DETAIL_AT for span in judgement.spans)


def no_worse(before: Judgement, after: Judgement) -> bool:
    """Whether no axis rose by more than the reading wavers."""
    return all(after.axes[axis] <= max(before.axes[axis], 0.2) for axis in before.axes)


def quoted(parts: Sequence[str]) -> str:
    """The first few different `parts` in quotation marks, as a list in a sentence."""
    seen = list(dict.fromkeys(" ".join(part.split()) for part in parts))
    shown = [
        f"“{part if len(part) <= 60 else part[:57].rsplit(' ', 1)[0] + '…'}”" for part in seen[:SHOWN_PARTS]
    ]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}" if shown else ""


_COMMON = re.compile(
    r"\b(?:the|an?|and|or|but|of|to|in|on|for|with|is|are|was|were|be|been|it|that|this|i|you|we|they|he|she|my|"
    r"your|our|not|no|so|if|at|from|by|as|have|has|had|do|did|what|who|when|how|all|just|me|us|them|his|her|can|will)\b"
)


def in_english(text: str) -> bool:
    """Whether enough of the words are common English ones; short texts count as English."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    if len(words) < 12:
        return all(ord(c) < 0x370 for c in "".join(words))
    return sum(bool(_COMMON.fullmatch(word)) for word in words) / len(words) >= 0.08
