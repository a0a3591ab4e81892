"""What identifies somebody by its form: numbers with checksums, addresses, dates, ages, rooms.

Microsoft Presidio's recognisers know the formal numbers of many countries; patterns here
add what clinicians write (bed 14, 4yo, last night). Pure and deterministic. Names and
places have no form of their own: those come from coach.care.reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from coach.events import Span

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

# The kinds that point to one person by themselves.
DIRECT = frozenset(
    {"name", "initials", "handle", "email", "phone", "address", "postcode", "record", "room", "date"}
)
# From which score Presidio's word is taken; a keyword shortly before adds to it.
TAKEN_AT, KEYWORD_ADDS, KEYWORD_WITHIN = 0.4, 0.4, 40
_PHONE_REGIONS = ("GB", "US", "IE", "AU", "NZ", "CA", "DE", "NL", "IN", "NG", "ZA", "PH")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_PERSON = r"(?:yo|y/o|y\.o\.|yrs?|years?|wks?|weeks?|months?|mths?|days?)"
_PATTERNS: Sequence[tuple[str, str]] = (
    # 4yo, 3-week-old, 87 year old, aged 93, F34, 34M, 72F, "a man of 61"
    ("age", rf"(?<![\w.£$€-])\d{{1,3}}\s?-?\s?(?:yo|y/o|y\.o\.)(?:[mf])?\b|\b\d{{1,3}}(?:\s|-)?{_PERSON}(?:\s|-)old\b"),
    ("age", r"\b(?:aged?)\s(?:about\s)?\d{1,3}\b(?!\s?(?:%|mg|to\b|and over|plus|\+))"),
    ("age", r"(?<![\w.£$€/-])(?:[1-9]\d?|10\d)\s?[MF]\b(?![-/\w&])|\b[MF]\s?/?\s?(?:[1-9]\d)\b(?!\w)"),
    ("age", r"\b(?:man|woman|boy|girl|lady|gentleman|lad|child|baby|toddler|patient|teenager)\s?(?:of|,|\()\s?\d{1,3}\b"),
    ("age", r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
            r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|"
            r"four|five|six|seven|eight|nine))?[- ](?:year|month|week|day)s?[- ]olds?\b"),
    ("time", r"\b(?:last|this|the other)\s(?:night|evening|morning|afternoon|week|weekend|month)\b|\byesterday\b|\btonight\b|"
             r"\bearlier today\b|\bjust now\b|\b(?:on|during|in)\s(?:my|our|today's|last night's)\s(?:night |day |late |early |long )?"
             r"(?:shift|on[- ]call|take|list|clinic)(?:\s(?:today|tonight|last night|yesterday))?\b|\btoday\b"),
    ("time", rf"\b(?:last|this|on)\s(?:{_DAY})(?:\s(?:night|evening|morning|afternoon))?\b"),
    ("date", rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}\b(?:,?\s(?:19|20)\d\d\b)?"),
    ("date", rf"\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?\b(?!\s?(?:%|mg|years))(?:,?\s(?:19|20)\d\d\b)?"),
    ("date", r"\b(?:dob|d\.o\.b\.?|born)\W{0,3}(?:on\s)?\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"),
    ("room", r"\b(?:bed|bay|cubicle|cubi|cube|side ?room|room|rm|resus|trolley|chair|pod|incubator|cot|theatre|OR)\s"
             r"(?:no\.?\s?|number\s)?(?:[A-Za-z]?\d{1,3}[A-Za-z]?|[A-F])\b(?!\s?(?:mg|ml|%|days|hours|minutes|people|staff))"),
    ("record", r"\b(?:mrn|nhs(?:\s(?:no\.?|num(?:ber)?|#))?|chi(?:\s(?:no\.?|number))?|h&c(?:\s(?:no\.?|number))?|"
               r"hosp(?:ital)?\.?\s(?:no\.?|num(?:ber)?|id)|(?:patient|pt)\s?(?:id|no\.?|num(?:ber)?)|unit\sno\.?|"
               r"case\s(?:no\.?|number)|acc(?:oun)?t\s?(?:no\.?|number|#)|policy(?:\s(?:no\.?|number))?|claim(?:\s(?:no\.?|number))?|"
               r"insurance(?:\s(?:no\.?|number|id))?|medicare(?:\s(?:no\.?|number))?|medicaid(?:\s(?:id|no\.?))?|member\sid|ihi|"
               r"ssn|social\ssecurity(?:\s(?:no\.?|number))?|ni(?:no|\sno\.?|\snumber)|licen[cs]e(?:\s(?:no\.?|number))?|"
               r"serial(?:\s(?:no\.?|number))?|s/n|device\sid|lot|ur(?:\sno\.?|n)|pps(?:n|\sno\.?)?|aadhaar|passport)"
               r"\b\s?(?:is|was|:|#|=|-|–|no\.?|number)*\s{0,2}[A-Z]{0,4}[- ]?\d[\dA-Z /-]{3,}\d[A-Z]{0,2}\b"),
    # Codes as systems give them out; trial and paper numbers are public.
    ("record", r"(?<![\w#@/.-])(?!(?:nct|isrctn|pmid|doi|arxiv|covid|sars|iso|icd|gcse)\b)(?!(?:nct|isrctn|pmid)\d)"
               r"(?:[a-z]{1,4}[-/ ]?\d{5,}[a-z]{0,3}|\d{2,6}[-/][a-z]{0,3}[-/]?\d{4,}(?:[-/]\d+)*|\d{7,})(?![\w%/-])"),
    ("record", r"(?<![\w+(.£$€-])(?-i:[A-Z])\s?\d{3}[ -]\d{3}[ -]\d{3,4}(?![\w%-])|\b\d{2}-\d{6,}-\d\b"),
    ("record", r"(?-i:\b(?:[A-Z]{2}\d{2}\s?[A-Z]{3}|[A-Z]\d{1,3}\s[A-Z]{3}|\d{2,3}-[A-Z]{1,2}-\d{1,6})\b)"),
    ("address", r"\b\d{1,4}[A-Za-z]?,?\s(?:[A-Z][\w'’]+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|way|"
                r"terrace|place|crescent|gardens|court|ct|boulevard|blvd|square|grove|hill|park|row|mews)\b"),
)  # fmt: skip
_COMPILED = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS]
# Where the case of a letter matters ("34M" is an age, "34m" a distance; "OR 3" a room, "or 3" not).
_CASED = re.compile(r"^(?:\d+\s?[mf]|[mf]\s?/?\s?\d+|or\s.+)$")
_POSTCODE = re.compile(r"\b(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2})\b")
# A capital after "in" is a place more often than not; months, days and wide areas tell nobody anything.
_PLACE = re.compile(
    r"\b(?:in|from|near|outside)\s(?!(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|English|French|German|Spanish|Latin|Twitter|Linked[Ii]n|"
    r"Instagram|Facebook|Zoom|Teams|Excel|God|Covid|Europe|Africa|Asia|America|Australia|Canada|England|Scotland|Wales|Ireland|"
    r"Britain|India|Nature|Lancet|Cochrane|Heaven|Hell)\b)([A-Z][a-z]{2,}(?:[ -][A-Z][a-z]+)?)\b"
)
PLACE_SCORE = 0.6
# Notes have a shape: several of these in one text, and it was copied from a record.
_NOTES = [
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        r"^\s*(?:pc|hpc|presenting complaint|hx|pmh|pmhx|past medical history|dh|drug history|sh|fh|social history)\s*[:\-]",
        r"^\s*(?:o/e|on examination|obs|imp|impression|dx|diagnosis|ddx|plan|rx|assessment|a/p|s/o/a/p|ros)\s*[:\-]",
        r"\b(?:bp|hr|rr|sats?|spo2|temp|gcs|news2?)\s*[:=]?\s*\d",
        r"\b(?:dob|d\.o\.b|mrn|nhs no|hosp no|ward round|wr)\b",
        r"^\s*(?:dear (?:dr|doctor|colleague)|re:|thank you for (?:referring|seeing))",
        r"\b\d{1,2}/(?:7|52|12)\b|\b(?:handover|jobs list|ward list|bed state)\b",
        r"\b(?:c/o|s/b|d/w|nad|nkda|nbm|r/v|f/u|ttos?|bd|tds|qds|po|prn)\b",
    )
]
NOTES_AT = 3


def notes_in(text: str) -> bool:
    """Whether `text` has the shape of clinical notes or a letter about a patient."""
    return sum(bool(pattern.search(text)) for pattern in _NOTES) >= NOTES_AT


def patterned(text: str) -> Iterator[Span]:
    """What the patterns here find."""
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(text):
            if _CASED.match(match[0]):
                continue
            yield Span(kind, match.start(), match.end(), 0.9)
    for match in _PLACE.finditer(text):
        yield Span("place", match.start(1), match.end(1), PLACE_SCORE)
    for match in _POSTCODE.finditer(text):
        yield Span("postcode", match.start(), match.end(), 0.9)


class Forms:
    """Finds spans by form. Loading Presidio takes seconds: do it in the background."""

    def __init__(self) -> None:
        self._recognisers = list(_recognisers())

    def find(self, text: str) -> tuple[Span, ...]:
        """Spans in order of place, none inside another."""
        return merged([*patterned(text), *self._formal(text)])

    def _formal(self, text: str) -> Iterator[Span]:
        for kind, recogniser in self._recognisers:
            results = recogniser.analyze(text, recogniser.supported_entities, None)  # type: ignore[arg-type]
            for result in results or ():
                score = result.score
                before = text[max(0, result.start - KEYWORD_WITHIN) : result.start].lower()
                if any(word in before for word in recogniser.context or ()):
                    score += KEYWORD_ADDS
                if kind == "phone" and sum(c.isdigit() for c in text[result.start : result.end]) < 9:
                    continue
                if score >= TAKEN_AT:
                    yield Span(kind, result.start, result.end, min(1.0, score))


def merged(spans: Iterable[Span], formal: Iterable[Span] = ()) -> tuple[Span, ...]:
    """Without overlaps: what is `formal` stays, then the longer one, and of equals the surer."""
    kept: list[Span] = list(formal)
    for span in sorted(spans, key=lambda s: (-(s.end - s.start), -s.score)):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda s: s.start))


def _recognisers() -> Iterator[tuple[str, EntityRecognizer]]:
    import presidio_analyzer.predefined_recognizers as known
    import tldextract

    # Without this it asks the network for the list of public suffixes.
    suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Email(known.EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            return bool(suffixes(pattern_text.split("@")[-1]).suffix)

    yield "email", Email()
    # Leniency 0: numbers that are merely possible count, as a wrong digit still rings somebody.
    yield "phone", known.PhoneRecognizer(supported_regions=_PHONE_REGIONS, leniency=0)
    yield "date", known.DateRecognizer()
    for recogniser in (
        known.NhsRecognizer, known.UkNinoRecognizer, known.UkVehicleRegistrationRecognizer,
        known.UsSsnRecognizer, known.UsItinRecognizer, known.UsMbiRecognizer, known.MedicalLicenseRecognizer,
        known.AuMedicareRecognizer, known.AuTfnRecognizer, known.CaSinRecognizer, known.CreditCardRecognizer,
        known.IbanRecognizer, known.IpRecognizer, known.MacAddressRecognizer, known.InAadhaarRecognizer,
        known.InPanRecognizer, known.DeHealthInsuranceRecognizer, known.DeSocialSecurityRecognizer,
        known.EsNifRecognizer, known.FiPersonalIdentityCodeRecognizer, known.ItFiscalCodeRecognizer,
        known.PlPeselRecognizer, known.SePersonnummerRecognizer, known.NgNinRecognizer, known.SgFinRecognizer,
    ):  # fmt: skip
        yield "record", recogniser()
