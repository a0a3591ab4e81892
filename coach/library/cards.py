"""Cards: one idea a Markdown file, the situations it answers in YAML beside it.

`load_cards` reads and validates a folder; every fault names file, line and what to
mend. A folder may also hold plain Markdown or text without front matter or situations
(somebody's own notes): such a file becomes a card without situations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import frontmatter
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coach.errors import KnowledgeError

Presumption = Literal[
    "account", "no-account", "sent", "unsent", "own", "other",
    "proud", "angry", "ashamed", "bereaved", "patient", "mentor", "no-mentor",
]  # fmt: skip
FollowKind = Literal["why", "how", "tried", "answer"]
M = TypeVar("M", bound=BaseModel)

# libyaml's loader where it is there: the same safe types, ten times as fast.
QUICK_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CITATION = re.compile(r"\s*\[([a-z0-9][a-z0-9-]*)\]")
ANSWER_WORDS = (50, 110)
FOLLOW_WORDS = (20, 95)
MIN_EXAMPLES = 12

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Frozen(BaseModel):
    """A record that does not change once read; unknown keys are faults, so typos show."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Answer(Frozen):
    """A whole written answer: opening, the true and useful thing, one small step, one question."""

    open: Text
    say: Text
    step: Text
    ask: Text

    @property
    def text(self) -> str:
        return f"{self.open} {self.say} {self.step} {self.ask}"

    @model_validator(mode="after")
    def _whole(self) -> Answer:
        check_words(self.text, ANSWER_WORDS)
        check_question(self.text)
        if not CITATION.search(self.text):
            raise ValueError("an answer needs at least one citation like [card-id]")
        return self


class Spare(Frozen):
    """Steps and questions that fit any answer of the situation, for a second telling."""

    steps: tuple[Text, ...] = ()
    asks: tuple[Text, ...] = ()


class Echo(Frozen):
    """An opening in which the person's own words stand, copied exactly."""

    kinds: tuple[Literal["number", "quote"], ...] = Field(min_length=1)
    nouns: tuple[Text, ...] = ()
    open: Text

    @model_validator(mode="after")
    def _placed(self) -> Echo:
        if self.open.count("{echo}") != 1:
            raise ValueError("`open` must hold {echo} exactly once")
        if "number" in self.kinds and not self.nouns:
            raise ValueError("kind `number` needs `nouns`: what is counted")
        return self


class Exchange(Frozen):
    """Something people say next in a situation, as they put it, and the turn that meets it."""

    id: Slug
    examples: tuple[Text, ...] = Field(min_length=3)
    say: Text

    @model_validator(mode="after")
    def _turn(self) -> Exchange:
        check_words(self.say, FOLLOW_WORDS)
        check_question(self.say)
        return self


class Follow(Frozen):
    """What is said in the next turns of a conversation that stays in this situation."""

    why: Text
    how: Text
    tried: Text
    answer: tuple[Text, ...] = Field(min_length=1)
    but: tuple[Exchange, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _turns(self) -> Follow:
        for text in (self.why, self.how, self.tried, *self.answer):
            check_words(text, FOLLOW_WORDS)
            check_question(text)
        return self

    def of(self, kind: FollowKind) -> tuple[str, ...]:
        """The written turns for one kind of follow-up, in the order they are to be used."""
        return {
            "why": (self.why,),
            "how": (self.how,),
            "tried": (self.tried,),
            "answer": self.answer,
        }[kind]


class Situation(Frozen):
    """Who stands before a card, in what state, and what is said to them."""

    id: Slug
    choice: Text
    presumes: tuple[Presumption, ...] = ()
    examples: tuple[Text, ...] = Field(min_length=MIN_EXAMPLES)
    answers: tuple[Answer, ...] = Field(min_length=2)
    spare: Spare = Spare()
    echo: Echo | None = None
    follow: Follow
    next: tuple[Exchange, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Everything written for a particular thing people say next, objections included."""
        return (*self.next, *self.follow.but)

    @model_validator(mode="after")
    def _short_choice(self) -> Situation:
        if len(self.choice.split()) > 12:
            raise ValueError("`choice` is a button: at most 12 words")
        return self


class SituationFile(Frozen):
    """The YAML file that stands beside a card."""

    card: Slug
    neutral: tuple[Answer, ...] = Field(min_length=1)
    situations: tuple[Situation, ...] = Field(min_length=3, max_length=5)


class MoreExamples(Frozen):
    """Examples from other hands, in `<card>.examples.yaml`: situation id -> messages."""

    card: Slug
    examples: Mapping[Slug, tuple[Text, ...]]


class NextTurns(Frozen):
    """What people say next and what meets it, in `<card>.next.yaml`, by situation."""

    card: Slug
    next: Mapping[Slug, tuple[Exchange, ...]]


class FrontMatter(Frozen):
    """The head of a card's Markdown file."""

    id: Slug
    title: Text
    topics: tuple[Text, ...] = Field(min_length=1)
    asks: tuple[Text, ...] = Field(min_length=5)
    source: Text


class Card(Frozen):
    """One idea: its text, what people ask that it answers, and its situations."""

    id: Slug
    title: str
    text: str
    topics: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    source: str = ""
    theme: str = ""
    neutral: tuple[Answer, ...] = ()
    situations: tuple[Situation, ...] = ()


def check_words(text: str, bounds: tuple[int, int]) -> None:
    """Raise ValueError unless `text`, citations aside, has a number of words within `bounds`."""
    words = len(CITATION.sub("", text).split())
    if not bounds[0] <= words <= bounds[1]:
        raise ValueError(f"{words} words; {bounds[0]} to {bounds[1]} are wanted")


def check_question(text: str) -> None:
    """Raise ValueError unless `text` holds exactly one question and ends with it."""
    plain = CITATION.sub("", text).rstrip("”\"' ")
    if plain.count("?") != 1 or not plain.endswith("?"):
        raise ValueError("exactly one question, at the very end")


def sentences(text: str) -> list[str]:
    """Split written prose into sentences; a citation stays with the sentence it closes."""
    parts = re.split(r"(?:(?<=[.?!])|(?<=[.?!][”\"]))(?<!\b[A-Z]\.)\s+(?=[A-Z“\"'\[0-9])", text.strip())
    return [part for part in parts if part]


def load_cards(folder: Path, *, strict: bool = True, situations: bool = True) -> tuple[Card, ...]:
    """Read every card below `folder`, in order of path.

    With `strict` a Markdown file must have complete front matter and, where `situations` says
    so, situations beside it; otherwise (a person's own notes) both are optional and text files count too.

    Raises:
        KnowledgeError: a file does not hold together; all faults in one message.
    """
    if not folder.is_dir():
        raise KnowledgeError(f"There is no folder {folder}; name one that holds Markdown files.")
    suffixes = {".md"} if strict else {".md", ".txt", ".markdown"}
    paths = sorted(p for p in folder.rglob("*") if p.suffix in suffixes and p.is_file())
    cards: list[Card] = []
    faults: list[str] = []
    for path in paths:
        try:
            cards.append(_read_card(path, folder, situations) if strict else _read_note(path, folder))
        except KnowledgeError as fault:
            faults.extend(str(fault).splitlines())
    if not faults:
        faults = list(_faults_between(cards, strict=strict))
    if faults:
        raise KnowledgeError("\n".join(faults))
    if not cards:
        raise KnowledgeError(f"{folder} holds no cards; add Markdown files to it.")
    return tuple(cards)


def _read_card(path: Path, folder: Path, situations: bool = True) -> Card:
    text = _text(path)
    try:
        post = frontmatter.loads(text)
    except yaml.YAMLError as fault:
        raise _unreadable(path, fault) from fault
    head = _validated(FrontMatter, dict(post.metadata), path, yaml_offset=1)
    if head.id != path.stem:
        raise KnowledgeError(f"{path}:2: id is {head.id}, the file is {path.stem}; make them one")
    count = len(sentences(post.content))
    if not 2 <= count <= 5:
        raise KnowledgeError(f"{path}:1: the card has {count} sentences; 2 to 5 are wanted")
    beside = path.with_suffix(".yaml")
    theme = path.parent.relative_to(folder).as_posix() if path.parent != folder else folder.name
    if not beside.exists() and not situations:
        return Card(**head.model_dump(), text=" ".join(post.content.split()), theme=theme)
    if not beside.exists():
        raise KnowledgeError(f"{path}:1: {beside.name} is missing beside it; write its situations")
    found = _validated(SituationFile, _read_yaml(beside), beside)
    if found.card != head.id:
        raise KnowledgeError(f"{beside}:1: card is {found.card}, expected {head.id}")
    return Card(
        **head.model_dump(),
        text=" ".join(post.content.split()),
        theme=theme,
        neutral=found.neutral,
        situations=_with_more(found, path),
    )


def _with_more(found: SituationFile, path: Path) -> tuple[Situation, ...]:
    """The situations, with what further files beside the card add to them, where there are such."""
    examples: Mapping[str, tuple[str, ...]] = {}
    nexts: Mapping[str, tuple[Exchange, ...]] = {}
    if (beside := path.with_suffix(".examples.yaml")).exists():
        examples = _validated(MoreExamples, _read_yaml(beside), beside).examples
        _check_known(examples, found, beside)
    if (beside := path.with_suffix(".next.yaml")).exists():
        nexts = _validated(NextTurns, _read_yaml(beside), beside).next
        _check_known(nexts, found, beside)
    return tuple(
        situation.model_copy(
            update={
                "examples": situation.examples + examples.get(situation.id, ()),
                "next": nexts.get(situation.id, ()),
            }
        )
        for situation in found.situations
    )


def _check_known(given: Mapping[str, object], found: SituationFile, path: Path) -> None:
    unknown = set(given) - {situation.id for situation in found.situations}
    if unknown:
        raise KnowledgeError(
            f"{path}:1: {sorted(unknown)[0]} is no situation of {found.card}; rename or remove it"
        )


def _read_yaml(path: Path) -> object:
    try:
        return yaml.load(_text(path), Loader=QUICK_LOADER)  # noqa: S506
    except yaml.YAMLError as fault:
        raise _unreadable(path, fault) from fault


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        line = path.read_bytes()[: fault.start].count(b"\n") + 1
        raise KnowledgeError(f"{path}:{line}: not UTF-8; mend it: save the file as UTF-8") from fault


def _unreadable(path: Path, fault: yaml.YAMLError) -> KnowledgeError:
    mark = getattr(fault, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(fault, "problem", None) or str(fault).splitlines()[0]
    return KnowledgeError(f"{path}:{line}: not readable as YAML ({problem}); mend it")


def _strings(value: object) -> tuple[str, ...]:
    """A list from front matter; a single text counts as a list of one."""
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _read_note(path: Path, folder: Path) -> Card:
    """A person's own note: whatever front matter is there is used, none is needed."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".txt" and path.with_suffix(".yaml").exists():
        return _read_card(path, folder)
    try:
        post = frontmatter.loads(text)
        head, body = dict(post.metadata), post.content
    except yaml.YAMLError:
        head, body = {}, text
    name = path.relative_to(folder).with_suffix("").as_posix()
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "note"
    given = str(head.get("id", ""))
    heading = re.search(r"^#+\s+(.+)$", body, flags=re.MULTILINE)
    title = head.get("title") or (heading.group(1) if heading else path.stem)
    return Card(
        id=given if re.fullmatch(r"[a-z0-9][a-z0-9-]*", given) else slug,
        title=str(title),
        text=" ".join(re.sub(r"^#+\s+.*$", "", body, flags=re.MULTILINE).split()),
        topics=_strings(head.get("topics")),
        asks=_strings(head.get("asks")),
        source=str(head.get("source", path.name)),
    )


def _validated(model: type[M], data: object, path: Path, yaml_offset: int = 0) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as fault:
        lines = []
        for error in fault.errors():
            where = ".".join(str(part) for part in error["loc"]) or "the file"
            line = _line_of(path, error["loc"], yaml_offset)
            message = error["msg"].removeprefix("Value error, ")
            lines.append(f"{path}:{line}: {where}: {message}")
        raise KnowledgeError("\n".join(lines)) from fault


def _line_of(path: Path, loc: Sequence[int | str], offset: int) -> int:
    """The line (from 1) in `path` of the YAML node that pydantic's `loc` points to."""
    text = path.read_text(encoding="utf-8")
    if offset:
        text = text.split("---", 2)[1].lstrip("\n") if text.startswith("---") else ""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 0 if node is None else node.start_mark.line
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part] if part < len(node.value) else None
        else:
            node = None
        if node is None:
            break
        line = node.start_mark.line
    return line + 1 + offset


def _faults_between(cards: Sequence[Card], *, strict: bool) -> Iterator[str]:
    """Faults that show only when all cards are seen together."""
    ids: set[str] = set()
    for card in cards:
        if card.id in ids:
            yield f"{card.id}: two cards have this id; rename one"
        ids.add(card.id)
    if not strict:
        return
    seen: dict[str, str] = {}
    for card in cards:
        for place, text in written_turns(card):
            if place in seen:
                yield f"{place}: two situations have this id; rename one"
            for mark in CITATION.findall(text):
                if mark not in ids:
                    yield f"{place}: cites [{mark}], which is no card"
            for sentence in sentences(text):
                key = re.sub(r"\W+", " ", CITATION.sub("", sentence)).strip().lower()
                if len(key.split()) < 5:
                    continue
                if key in seen:
                    yield f"{place}: says what {seen[key]} says too: “{sentence}”"
                seen.setdefault(key, place)


def written_turns(card: Card) -> Iterator[tuple[str, str]]:
    """Every text of a card that may be said, each with the place where it stands."""
    for number, answer in enumerate(card.neutral):
        yield f"{card.id} neutral {number + 1}", answer.text
    for situation in card.situations:
        here = f"{card.id}/{situation.id}"
        for number, answer in enumerate(situation.answers):
            yield f"{here} answer {number + 1}", answer.text
        for text in (*situation.spare.steps, *situation.spare.asks):
            yield f"{here} spare", text
        follow = situation.follow
        for kind, said in (
            ("why", follow.why),
            ("how", follow.how),
            ("tried", follow.tried),
        ):
            yield f"{here} follow {kind}", said
        for text in follow.answer:
            yield f"{here} follow answer", text
        for but in follow.but:
            yield f"{here} but {but.id}", but.say
        for exchange in situation.next:
            yield f"{here} next {exchange.id}", exchange.say
