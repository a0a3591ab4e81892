"""From what was found in a draft to axes, findings and a verdict. Pure; no language model.

The model's opinion comes from coach.care.reading; the rules here can only make it more
careful. What was stated beside the draft counts, how the person feels about it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from coach.care.form import Flaw, flaws
from coach.care.identifiers import DIRECT, merged, notes_in
from coach.care.reading import AXES, Read
from coach.events import Axis, Facts, Span, Verdict

# From dev, see eval/LOG.md: the share of the verdicts other than `post` from which it is not
# posted as it is, and from which an axis is named as a reason.
RISK_AT, AXIS_AT = 0.55, 0.5
# A number from a record, a telephone, an address: however little the model makes of it.
FORMAL = frozenset({"record", "phone", "email", "address"})
FORMAL_RISK, NAMED_RISK, NAME_SURE_AT = 0.85, 0.7, 0.7
# Under this chance of being somebody's story it is a job reference or a helpline: marked and named, no more.
NOBODY_AT = 0.05
# What leads straight to one person is marked in a draft that may be about somebody, or where it is this sure.
MARKED_FROM, NAMED_SURE_AT = 0.3, 0.9
NAMES = ("name", "initials")
# Names are a small part of the risk (Ahmed et al. 2020): combinations, of spans at least this sure.
COMBINED_RISK, IN_COMPANY_SURE_AT = 0.7, 0.5
WHO = frozenset({"age", "kin", "role", "sex", "name", "initials", "condition", "event", "quote"})
WHERE = frozenset({"place", "facility", "employer", "room"})
WHEN = frozenset({"time", "date"})
OTHERS = ("patient", "family", "colleague", "trainee")
STORY_AT = 0.5  # how surely it is somebody else's story before a name in it counts
CONSENT_KEEPS = 0.5  # what consent in writing leaves of the risk of being recognised
FACT_ADDS = 0.1
OFF_AIM = 0.3  # worth a word, never a reason not to post
_CONSENT = re.compile(
    r"\b(?:written|in writing|signed|consent(?:ed)? (?:form|given|obtained)|gave (?:written )?consent|agreed in writing)\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"\b(?:no|not|none|nothing|without|did ?n['’]?t|has ?n['’]?t|never|verbal|asked)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Mark:
    """A finding without its words: axis, kind, and offsets into the draft."""

    axis: Axis
    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Judgement:
    """Axes 0 (fine) to 1 (serious), the marks, and the verdict; `spans` are all that may identify."""

    verdict: Verdict
    axes: Mapping[Axis, float]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    risk: float
    notes: bool

    def off_aim(self) -> Judgement:
        """The same for a draft in which nothing is seen of what it is said to be for."""
        axes = {**self.axes, "purpose": max(self.axes["purpose"], OFF_AIM)}
        return replace(self, axes=axes, marks=(*self.marks, Mark("purpose", "off_aim", 0, 0)))


def judged(
    draft: str, reads: Sequence[tuple[int, Read]], formal: Sequence[Span], facts: Facts, platform: str
) -> Judgement:
    """Judge `draft`, of which `reads` are the pieces as read, each with its offset."""
    spans = merged(
        (replace(s, start=s.start + at, end=s.end + at) for at, read in reads for s in read.spans), formal
    )
    form = tuple(flaws(draft, platform, has_image=_stated(facts.image)))
    axes: dict[Axis, float] = {axis: max(read.axes[axis] for _, read in reads) for axis in AXES}
    riskiest = max((read for _, read in reads), key=lambda read: 1 - read.verdicts["post"])
    notes = notes_in(draft)
    axes["privacy"] = _privacy(axes["privacy"], spans, reads, facts, notes=notes)
    axes["purpose"] = max([axes["purpose"], *(flaw.weight for flaw in form)])
    risk = 1 - riskiest.verdicts["post"]
    if consented(facts):
        risk *= CONSENT_KEEPS
    if axes["privacy"] >= NAMED_RISK and not consented(facts):
        # Rules have spoken, or the model has for this one axis: never less careful than that.
        risk = max(risk, axes["privacy"])
    verdict = _verdict(riskiest, axes, risk, notes=notes)
    return Judgement(verdict, axes, tuple(_marks(axes, spans, form)), spans, risk, notes)


def stated_facts(given: Mapping[str, str]) -> Facts:
    """Facts from named texts; a plain note counts for every fact it speaks of.

    What a note says of feelings or hopes is no fact and is passed over.
    """
    note = given.get("note", "")
    image = re.search(
        r"[^.;,]*\b(?:photo|picture|image|selfie|screenshot|scan|x-?ray|video)\b[^.;,]*", note, re.I
    )
    consent = re.search(r"[^.;]*\b(?:consent\w*|agreed|permission|signed)\b[^.;]*", note, re.IGNORECASE)
    when = re.search(
        r"\b(?:yesterday|today|tonight|last (?:night|week)|this (?:morning|week))\b", note, re.IGNORECASE
    )
    employer = re.search(r"\bi work\b[^.;]*|\bmy (?:bio|profile|employer)\b[^.;]*", note, re.IGNORECASE)
    return Facts(
        poster=given.get("poster", given.get("who", "")),
        employer=given.get("employer", employer[0] if employer else ""),
        consent=given.get("consent", consent[0] if consent else ""),
        image=given.get("image", image[0] if image else ""),
        when=given.get("when", when[0] if when else ""),
        aim=given.get("aim", given.get("goal", "")),
    )


def consented(facts: Facts) -> bool:
    """Whether consent in writing was stated."""
    return bool(_CONSENT.search(facts.consent)) and not _NO.search(facts.consent)


def _privacy(
    opinion: float, spans: Sequence[Span], reads: Sequence[tuple[int, Read]], facts: Facts, *, notes: bool
) -> float:
    others = _others(reads)
    if consented(facts):
        opinion *= CONSENT_KEEPS
    if others >= STORY_AT:
        opinion += FACT_ADDS * sum(_stated(fact) for fact in (facts.image, facts.when, facts.employer))
    cared_for = max(read.about["patient"] + read.about["family"] for _, read in reads)
    told = cared_for >= STORY_AT and not consented(facts)
    if told and any(s.kind in NAMES and s.score >= NAME_SURE_AT for s in spans):
        opinion = max(opinion, NAMED_RISK)
    if told and _combine({s.kind for s in spans if s.score >= IN_COMPANY_SURE_AT}):
        opinion = max(opinion, COMBINED_RISK)
    if others >= NOBODY_AT and any(s.kind in FORMAL for s in spans):
        opinion = max(opinion, FORMAL_RISK)
    return 1.0 if notes else min(1.0, opinion)


def _combine(kinds: set[str]) -> bool:
    """Whether who, where and when come together closely enough to point to one patient."""
    where, when = bool(kinds & WHERE), bool(kinds & WHEN)
    return ("age" in kinds and (where or when)) or (bool(kinds & WHO) and where and when)


def _others(reads: Sequence[tuple[int, Read]]) -> float:
    """How surely the draft tells of somebody else."""
    return max(sum(read.about[who] for who in OTHERS) for _, read in reads)


def _stated(fact: str) -> bool:
    return bool(fact.strip()) and not re.match(r"\s*(?:no|none|not|n/a)\b", fact, re.IGNORECASE)


def _verdict(read: Read, axes: Mapping[Axis, float], risk: float, *, notes: bool) -> Verdict:
    if notes:
        return "keep"
    if risk < RISK_AT:
        return "post"
    chances = {name: read.verdicts[name] for name in ("edit", "wait", "keep")}
    best = max(chances, key=lambda name: chances[name])
    # To wait helps against heat alone.
    if best == "wait" and axes["anger"] < AXIS_AT:
        best = "edit" if chances["edit"] >= chances["keep"] else "keep"
    return best  # type: ignore[return-value]


def _marks(axes: Mapping[Axis, float], spans: Sequence[Span], form: Sequence[Flaw]) -> Iterator[Mark]:
    """In a draft that gives somebody away everything that does; else what is plain by its form and what
    surely is a private person's name: the reading was taught to pass by names that are credited."""
    for span in spans:
        surely = span.kind not in ("date", "room") and span.score >= NAMED_SURE_AT
        direct = span.kind in DIRECT and (axes["privacy"] >= MARKED_FROM or surely)
        if axes["privacy"] >= AXIS_AT or direct or span.kind in FORMAL:
            yield Mark("privacy", span.kind, span.start, span.end)
    yield from (Mark("purpose", flaw.kind, flaw.start, flaw.end) for flaw in form)
