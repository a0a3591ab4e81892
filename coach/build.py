"""The composition root: settings in, a ready coach out. The only file that picks implementations.

Every part is made when it is first asked for, so that `coach search` never loads a model.
"""

from __future__ import annotations

import os
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from coach.care.gate import GATE_FILE, Gate, make_gate
from coach.care.sensing import LAYERS as SENSING_LAYERS
from coach.care.sensing import Sensor
from coach.care.words import CareWords, load_words
from coach.classifier import Encoder, LinearClassifier, Maker
from coach.errors import CoachError, IndexFault, ModelError
from coach.library.cards import Card, Situation, Spare, load_cards
from coach.library.embedder import EXCHANGE_LAYERS, TUNED_LAYERS, Joined, MiniLM, NamedEncoder
from coach.library.index import Progress, fingerprint, make_chroma, make_copies, open_or_build
from coach.library.meeting import Meeting, load_meeting
from coach.library.search import COVERED_FILE, CardSearch, make_covered
from coach.model.catalogue import Chosen, Voice, choose, is_known
from coach.prompts import shipped
from coach.settings import NOTES, Settings, VoiceSetting, owners_only

if TYPE_CHECKING:
    from langchain_core.language_models.chat_models import BaseChatModel
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from coach.care.identifiers import Forms
    from coach.model.local import Engine
    from coach.practice.earlier import Earlier
    from coach.practice.held import HeldDrafts
    from coach.practice.kept import Copy, Kept
    from coach.practice.rehearse import Rehearsal
    from coach.practice.review import ReviewFlow
    from coach.practice.talk import Talk
    from coach.voice.guided import GuidedVoice
    from coach.voice.quoted import QuotedVoice
    from coach.voice.recogniser import Ranker

# Made for one voice, country and aim; made anew when these change.
VOICED = ("engine", "chat_model", "_ranker", "_written", "talk", "review", "rehearsal", "kept_rehearsal")
REHEARSALS, EARLIER = "rehearsals.sqlite", "rehearsals.jsonl"  # in the data folder
# Classifiers fitted beforehand (`make fit`), in a folder named after what they were fitted on.
FITTED = Path(__file__).parent / "fitted"
SCRIPT = [
    "That is worth a closer look. Nobody has to post. Choose the why first. What would you like to try?"
]


def _silent(_what: str, _share: float) -> None:
    return


def _without_answers(situation: Situation) -> Situation:
    """What of a situation is learnt from: its wording may be mended without fitting anew."""
    silent = tuple(e.model_copy(update={"say": ""}) for e in situation.next)
    return situation.model_copy(update={"answers": (), "spare": Spare(), "echo": None, "next": silent})


class Coach:
    """A ready coach over `settings`; parts are made on first use and shared by all who talk to it."""

    def __init__(self, settings: Settings, progress: Progress = _silent) -> None:
        self.settings = settings
        self._progress = progress
        self._lock = threading.RLock()
        self._review_lock = threading.Lock()
        self.model_fault: str | None = None

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """The library that answers: the built-in cards, or a folder of the person's own."""
        own = self.settings.knowledge
        return load_cards(own, strict=False) if own else self.built_in

    @cached_property
    def built_in(self) -> tuple[Card, ...]:
        """The thread's cards, and those that Review's findings and Rehearse rest on."""
        here = shipped("knowledge")
        more = [load_cards(here / theme, situations=False) for theme in ("patients", "people", "mentoring")]
        return tuple(card for cards in (load_cards(here / "thread"), *more) for card in cards)

    @cached_property
    def words(self) -> CareWords:
        return load_words(shipped("knowledge") / "care")

    @cached_property
    def phrases(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(
            (shipped("knowledge") / "phrases.yaml").read_text(encoding="utf-8")
        )
        return found

    @cached_property
    def encoder(self) -> MiniLM | NamedEncoder:
        named = self.settings.encoder
        return NamedEncoder(str(named)) if named else MiniLM()

    @cached_property
    def tuned(self) -> MiniLM | NamedEncoder:
        """The encoder whose upper layers were tuned to tell situations apart; search keeps the other."""
        return self.encoder.tuned(TUNED_LAYERS) if isinstance(self.encoder, MiniLM) else self.encoder

    @cached_property
    def next_encoder(self) -> MiniLM | NamedEncoder:
        """The encoder whose upper layers were tuned to tell what people say next apart."""
        return self.encoder.tuned(EXCHANGE_LAYERS) if isinstance(self.encoder, MiniLM) else self.encoder

    @cached_property
    def both(self) -> Joined:
        """Both encoders side by side, for the gate: what matters to it is not all in the tuned one."""
        return Joined(self.encoder, self.tuned)

    @cached_property
    def index(self) -> Path:
        """The finished index over the built-in cards, with everything fitted on them."""
        return self._index_over(self.built_in, own=False)

    def _index_over(self, cards: tuple[Card, ...], *, own: bool, rebuild: bool = False) -> Path:
        makers: list[tuple[Maker, Encoder]] = [(make_chroma(cards), self.encoder)]
        if any(card.situations for card in cards):
            makers += self._fitting(cards, own=own)
        # What is made of somebody's own notes is about them: kept apart, so that `wipe` finds it.
        return open_or_build(
            owners_only(self.settings.cache_dir / NOTES) if own else self.settings.cache_dir,
            fingerprint(
                cards,
                self.encoder.fingerprint,
                self.tuned.fingerprint,
                self.next_encoder.fingerprint,
                self.words.model_dump_json(),
            ),
            makers,
            progress=self._progress,
            rebuild=rebuild,
        )

    def _fitting(self, cards: tuple[Card, ...], *, own: bool) -> list[tuple[Maker, Encoder]]:
        """What fits the classifiers; for the cards as shipped that was done beforehand."""
        from coach.voice.exchanges import make_exchanges
        from coach.voice.guided import make_follow
        from coach.voice.recogniser import make_recogniser

        if not own and (FITTED / self.fitted_on).is_dir():
            return [(make_copies(FITTED / self.fitted_on), self.tuned)]
        follow = {name: kind.examples for name, kind in self.words.follow.items()}
        makers: list[tuple[Maker, Encoder]] = [
            (make_recogniser(cards), self.tuned),
            (make_follow(cards, follow), self.tuned),
            (make_exchanges(cards), self.next_encoder),
        ]
        if not own:
            ordinary = {s.id: s.examples for card in cards for s in card.situations}
            messages = [e for examples in ordinary.values() for e in examples]
            # What people say next is ordinary too, and its words are often graver than it is.
            ordinary |= {
                f"next-{card.id}": tuple(text for s in card.situations for e in s.next for text in e.examples)
                for card in cards
                if any(s.next for s in card.situations)
            }
            apart = [e for name in ("unrelated", "not_covered", "medical", "legal")
                     for e in self.words.kinds[name].examples]  # fmt: skip
            makers += [
                (make_gate(self.words, ordinary), self.both),
                (make_covered(cards, messages[::12], apart), self.encoder),
            ]
        return makers

    @cached_property
    def fitted_on(self) -> str:
        """A name for what the classifiers of the built-in cards are fitted on."""
        learnt = [
            card.model_copy(
                update={
                    "neutral": (), "title": "", "source": "",
                    "situations": tuple(_without_answers(s) for s in card.situations),
                }
            )
            for card in self.built_in
        ]  # fmt: skip
        words = {**self.words.kinds, **self.words.follow}
        return fingerprint(
            learnt,
            self.encoder.fingerprint,
            self.tuned.fingerprint,
            self.next_encoder.fingerprint,
            *(f"{name}:{kind.examples}" for name, kind in words.items()),
        )

    def rebuild(self) -> Path:
        """Build the index of the library that answers anew, whatever state it is in."""
        return self._index_over(self.cards, own=self.settings.knowledge is not None, rebuild=True)

    @cached_property
    def search(self) -> CardSearch:
        own = self.settings.knowledge is not None
        covered = None if own else LinearClassifier.load(self.index / COVERED_FILE)
        folder = self._own_index if own else self.index
        try:
            return CardSearch(self.cards, folder, self.encoder, covered)
        except IndexFault:
            self._progress("The index was damaged; building it again.", 0.0)
            return CardSearch(self.cards, self.rebuild(), self.encoder, covered)

    @cached_property
    def _own_index(self) -> Path:
        return self._index_over(self.cards, own=True)

    @cached_property
    def gate(self) -> Gate:
        return Gate(LinearClassifier.load(self.index / GATE_FILE), self._sensor, self.words)

    @cached_property
    def _sensor(self) -> Sensor:
        return Sensor.load(self._packaged.tuned(SENSING_LAYERS))

    @cached_property
    def model(self) -> Chosen:
        try:
            return choose(self.settings.model)
        except ModelError as fault:
            if not is_known(self.settings.model):
                raise
            self.model_fault = str(fault)
            return choose("none")

    @property
    def voice(self) -> Voice:
        """Which voice speaks: what settings say, else what suits the model."""
        if self.settings.voice != "auto":
            return self.settings.voice
        return self.model.voice or self._probed_voice

    @cached_property
    def _probed_voice(self) -> Voice:
        """What suits a model that the catalogue does not know: tried out once, then kept."""
        from coach.model.local import Engine, LocalChat
        from coach.voice.probe import MAX_TOKENS, keep, kept, probed, voice_for

        path = self.model.path
        assert path is not None  # noqa: S101 - only a file is without a voice
        about = path.stat()
        name = f"{path.stem}-{about.st_size}-{int(about.st_mtime)}.probe.json"
        place = self.settings.cache_dir / "models" / name
        done = kept(place)
        if done is None:
            self._progress(f"Trying out {path.name} with six short tasks, once", 0.0)
            try:
                done = probed(
                    LocalChat(engine=Engine(path, threads=self.settings.threads), max_tokens=MAX_TOKENS)
                )
            except ModelError as fault:
                self.model_fault = str(fault)
                return "guided"
            keep(place, done)
        return voice_for(done)

    @cached_property
    def engine(self) -> Engine | None:
        """The model in memory; None without one, and then `model_fault` may say why."""
        from coach.model.local import Engine
        from coach.model.prepare import quick_copy

        try:
            path = self.model.path
            if path is None:
                return None
            if self.voice == "guided":
                path = quick_copy(path, self.settings.cache_dir)
            return Engine(path, threads=self.settings.threads)
        except ModelError as fault:
            self.model_fault = str(fault)
            return None

    @cached_property
    def chat_model(self) -> BaseChatModel | None:
        """LangChain's chat model over the chosen model; None where there is none."""
        if self.settings.model == "scripted":
            from langchain_core.language_models.fake_chat_models import (
                FakeListChatModel,
            )

            return FakeListChatModel(responses=SCRIPT)
        if self.engine is None:
            return None
        from coach.model.local import LocalChat

        return LocalChat(
            engine=self.engine,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
        )

    @cached_property
    def _ranker(self) -> Ranker | None:
        from coach.model.likelihood import Likelihood
        from coach.voice.recogniser import examples_to_read

        if self.engine is None:
            return None
        try:
            return Likelihood(self.engine, examples_to_read(self.cards), self.settings.threads)
        except ModelError as fault:
            self.model_fault = str(fault)
            return None

    @cached_property
    def _written(self) -> GuidedVoice | QuotedVoice:
        """The voice that needs no model to word anything."""
        from coach.voice.exchanges import Exchanges
        from coach.voice.guided import FOLLOW_FILE, GuidedVoice
        from coach.voice.quoted import QuotedVoice
        from coach.voice.recogniser import RECOGNISER_FILE, Recogniser

        folder = self._own_index if self.settings.knowledge else self.index
        if not (folder / RECOGNISER_FILE).exists():
            return QuotedVoice(self.encoder, self.phrases)
        recogniser = Recogniser(
            self.cards,
            LinearClassifier.load(folder / RECOGNISER_FILE),
            self._ranker if self.voice == "guided" else None,
        )
        follow = LinearClassifier.load(folder / FOLLOW_FILE)
        exchanges = Exchanges.load(self.cards, self.next_encoder, folder)
        return GuidedVoice(self.cards, recogniser, follow, exchanges, self.encoder, self.tuned, self.phrases)

    @cached_property
    def talk(self) -> Talk:
        from coach.practice.talk import Talk
        from coach.voice.free import FreeVoice

        model = self.chat_model if self.voice == "free" else None
        return Talk(
            encoder=self.encoder,
            tuned=self.tuned,
            gate=self.gate,
            search=self.search,
            voice=FreeVoice(model, self.encoder) if model is not None else self._written,
            fallback=self._written,
            phrases=self.phrases,
            country=self.settings.home,
            own_notes=self.settings.knowledge is not None,
        )

    @cached_property
    def meeting(self) -> Meeting:
        """What people wrote for the mentor of a rehearsal."""
        return load_meeting(shipped("knowledge") / "meeting")

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """The Rehearse flow; nothing of it is kept."""
        from langgraph.checkpoint.memory import InMemorySaver

        return self._rehearsal(InMemorySaver())

    @cached_property
    def kept_rehearsal(self) -> Rehearsal:
        """The Rehearse flow for those who want to come back to it: kept in their data folder."""
        import sqlite3

        from langgraph.checkpoint.sqlite import SqliteSaver

        path = self.settings.data_dir / REHEARSALS
        try:
            owners_only(path.parent)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # One connection, guarded by the saver's own lock; sessions are told apart by thread.
            return self._rehearsal(SqliteSaver(sqlite3.connect(path, check_same_thread=False)))
        except (OSError, sqlite3.Error) as fault:
            raise CoachError(
                f"{path} cannot be opened ({fault}); start without keeping the rehearsal."
            ) from fault

    @cached_property
    def earlier(self) -> Earlier:
        """How earlier rehearsals went, where they are kept."""
        from coach.practice.earlier import Earlier

        return Earlier(self.settings.data_dir / EARLIER)

    @cached_property
    def held(self) -> HeldDrafts:
        """The drafts on hold."""
        from coach.practice.held import HeldDrafts

        return HeldDrafts(self.settings.data_dir / "held")

    @property
    def kept(self) -> Kept:
        """Everything that is kept about the person."""
        from coach.practice.kept import Kept

        # Nothing is made on the disk by merely looking; what is only in memory is nobody's to list.
        is_kept = (self.settings.data_dir / REHEARSALS).exists()
        return Kept(self.held, self.ready_to_rehearse(keep=True) if is_kept else None, self.earlier)

    def bring_back(self, text: str) -> Copy:
        """Add a copy's contents to what is kept.

        Raises:
            UsageError: it is no copy.
            CoachError: it cannot be written.
        """
        from coach.practice.kept import Kept, read

        copy = read(text)
        rehearsal = self.ready_to_rehearse(keep=True) if copy.rehearsals else None
        Kept(self.held, rehearsal, self.earlier).bring_back(copy)
        return copy

    def forget(self) -> None:
        """Delete everything that is kept about the person, and go on as on the first day."""
        from coach.doctor import wipe

        with self._lock:
            kept = self.__dict__.pop("kept_rehearsal", None)
            if kept is not None:
                kept.close()
            wipe(self.settings)
            self.settings = self.settings.model_copy(update={"voice": "auto", "country": "", "aim": ""})
            for part in VOICED:
                self.__dict__.pop(part, None)

    def ready_to_rehearse(self, *, keep: bool) -> Rehearsal:
        """Load what a rehearsal needs; safe to call from several threads."""
        with self._lock:
            return self.kept_rehearsal if keep else self.rehearsal

    def _rehearsal(self, saver: BaseCheckpointSaver[Any]) -> Rehearsal:
        from coach.practice.rehearse import Rehearsal
        from coach.voice.free_mentor import FreeMentor
        from coach.voice.listening import LAYERS, Listener
        from coach.voice.mentor import WrittenMentor

        written = WrittenMentor(self.meeting)
        model = self.chat_model if self.voice == "free" else None
        return Rehearsal(
            meeting=self.meeting,
            listener=Listener.load(self._packaged.tuned(LAYERS)),
            mentor=FreeMentor(model, written) if model is not None else written,
            gate=self.gate,
            country=self.settings.home,
            saver=saver,
        )

    @cached_property
    def _packaged(self) -> MiniLM:
        """Always the packaged encoder, for heads that were trained on its layers and no other's."""
        return self.encoder if isinstance(self.encoder, MiniLM) else MiniLM()

    @cached_property
    def review(self) -> ReviewFlow:
        """The Review flow."""
        from coach.care.reading import READING_LAYERS, Reading
        from coach.practice.review import ReviewFlow
        from coach.voice.safer import Proposals

        model = self.chat_model if self.voice == "free" else None
        return ReviewFlow(
            encoder=self.encoder,
            gate=self.gate,
            states=self._packaged.tuned(READING_LAYERS),
            reading=Reading.load(),
            forms=self._forms,
            words=self.review_words,
            country=self.settings.home,
            aim=self.settings.aim,
            proposals=Proposals(model, self.review_words["changes"]) if model is not None else None,
        )

    @cached_property
    def _forms(self) -> Forms:
        """Presidio takes seconds to load, and outlives a change of settings."""
        from coach.care.identifiers import Forms

        return Forms()

    @cached_property
    def review_words(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(
            (shipped("knowledge") / "review.yaml").read_text(encoding="utf-8")
        )
        return found

    def ready_to_review(self) -> ReviewFlow:
        """Load everything a review needs, while others talk; safe to call from several threads."""
        with self._lock:
            self.gate, self.both  # noqa: B018 - shared with Talk, made once
        with self._review_lock:
            return self.review

    def change(self, *, voice: VoiceSetting, country: str, aim: str) -> None:
        """Speak with another voice, name another country's help lines, or hold drafts against another
        aim, from the next turn on."""
        with self._lock:
            self.settings = self.settings.model_copy(update={"voice": voice, "country": country, "aim": aim})
            self.model_fault = None
            # Each of these was made for the voice before; a turn under way keeps what it has.
            for part in VOICED:
                self.__dict__.pop(part, None)

    def ready(self) -> Talk:
        """Load everything a conversation needs; safe to call from several threads."""
        with self._lock:
            return self.talk

    @property
    def speaking(self) -> str:
        """One line for the person: who is speaking here."""
        voices = self.phrases["voices"]
        if self.voice == "free" and self.chat_model is not None:
            return str(voices["free"])
        return str(voices["guided" if self.engine is not None else "guided_without_model"])
