"""The Talk tab: a conversation, what it rests on beside it, Stop, retry, edit, copy, clear."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.errors import CoachError, Stopped
from coach.events import Reply, Said, Turn
from coach.ui.theme import private

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.library.cards import Card

log = logging.getLogger(__name__)
NO_SOURCES = (
    '<div id="sources"><h2>What it rests on</h2>'
    '<p class="quiet">When an answer rests on a card, the card stands here.</p></div>'
)
# A bug says so plainly and keeps the conversation; its words go to the log, the person's never do.
FAULT = "Something went wrong in the programme, not in what you wrote. It is still here; try again."
# While the coach works, the button that sends becomes the one that stops.
IDLE: dict[str, Any] = {"submit_btn": "Send", "stop_btn": False}
BUSY: dict[str, Any] = {"submit_btn": False, "stop_btn": "Stop"}


class Stops:
    """One stop signal for each open page; closing the page sets it too."""

    def __init__(self) -> None:
        self._signals: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def start(self, page: str) -> threading.Event:
        """A fresh signal for a new turn of `page`; the turn before it, if still running, ends."""
        with self._lock:
            self.stop(page)
            self._signals[page] = threading.Event()
            return self._signals[page]

    def stop(self, page: str) -> None:
        signal = self._signals.get(page)
        if signal is not None:
            signal.set()

    def page_left(self, request: gr.Request) -> None:
        """The tab was closed: end what it was waiting for."""
        page = str(request.session_hash)
        self.stop(page)
        self._signals.pop(page, None)


class TalkTab:
    """Draws the tab and answers its events. Holds no conversation: that lives in the page."""

    def __init__(self, coach: Coach, stops: Stops) -> None:
        self._coach, self._stops = coach, stops

    def draw(self) -> None:
        """Lay the tab out inside the current Blocks."""
        phrases = self._coach.phrases
        turns = gr.State([])
        with gr.Row(elem_id="talk-row"):
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    elem_id="chat", show_label=False, height="62vh", editable="user",
                    buttons=["copy"], sanitize_html=True, allow_tags=False, layout="bubble",
                    feedback_options=None, autoscroll=True,
                    placeholder="Say what is on your mind, in your own words. Two lines are enough.",
                    examples=[{"text": starter} for starter in phrases["starters"]],
                )  # fmt: skip
                box = gr.Textbox(
                    elem_id="box", show_label=False, container=False, lines=1, max_lines=8, autofocus=True,
                    placeholder="Write here. Enter sends, Shift and Enter starts a new line.",
                    submit_btn="Send",
                    html_attributes=private(),
                )  # fmt: skip
            with gr.Column(scale=2, min_width=280):
                sources = gr.HTML(NO_SOURCES)

        shown = [chat, turns, sources, box]
        box.submit(
            self.send,
            [box, turns],
            shown,
            show_progress="hidden",
            api_visibility="private",
        )
        chat.example_select(self.start, [turns], shown, show_progress="hidden", api_visibility="private")
        chat.option_select(
            self.choose,
            [turns],
            shown,
            show_progress="hidden",
            api_visibility="private",
        )
        chat.retry(self.retry, [turns], shown, show_progress="hidden", api_visibility="private")
        chat.edit(self.edit, [turns], shown, show_progress="hidden", api_visibility="private")
        chat.clear(self.clear, None, shown, show_progress="hidden", api_visibility="private")
        # Stop ends the work itself; the turn then finishes by its own way out, and shows so.
        box.stop(self.stop, None, None, queue=False, api_visibility="private")

    def send(self, text: str, turns: list[dict[str, Any]], request: gr.Request) -> Iterator[Any]:
        yield from self._answer([*turns, {"role": "user", "content": text}], request)

    def start(
        self, turns: list[dict[str, Any]], example: gr.SelectData, request: gr.Request
    ) -> Iterator[Any]:
        yield from self._answer([*turns, {"role": "user", "content": example.value["text"]}], request)

    def choose(
        self, turns: list[dict[str, Any]], option: gr.SelectData, request: gr.Request
    ) -> Iterator[Any]:
        yield from self._answer([*turns, {"role": "user", "content": str(option.value)}], request)

    def retry(self, turns: list[dict[str, Any]], at: gr.RetryData, request: gr.Request) -> Iterator[Any]:
        yield from self._answer(turns[: _row(at.index) + 1], request)

    def edit(self, turns: list[dict[str, Any]], at: gr.EditData, request: gr.Request) -> Iterator[Any]:
        kept = turns[: _row(at.index)]
        yield from self._answer([*kept, {"role": "user", "content": str(at.value)}], request)

    def clear(self, request: gr.Request) -> tuple[Any, ...]:
        self._stops.stop(str(request.session_hash))
        return [], [], NO_SOURCES, gr.update(value="", **IDLE)

    def stop(self, request: gr.Request) -> None:
        self._stops.stop(str(request.session_hash))

    def _answer(self, turns: list[dict[str, Any]], request: gr.Request) -> Iterator[Any]:
        """Answer the last of `turns`, showing the reply as it comes."""
        signal = self._stops.start(str(request.session_hash))
        text, sources = "", gr.update()
        yield self._view(turns, "…"), turns, sources, gr.update(value="", **BUSY)
        try:
            talk = self._coach.ready()
            history = [Turn(t["role"], t["content"]) for t in turns]
            for event in talk.reply(history, cancel=signal, seed=self._coach.settings.seed):
                if isinstance(event, Said):
                    text += event.text
                    yield self._view(turns, text), turns, sources, gr.skip()
                else:
                    turns = [*turns, _kept(event)]
                    sources = self._sources(turns)
            yield self._view(turns), turns, sources, gr.update(**IDLE)
            return
        except Stopped:
            text = f"{text} {self._coach.phrases['stopped']}".strip()
        except CoachError as fault:
            text = str(fault)
        except Exception as fault:  # the outermost edge: a bug must not cost the conversation
            log_fault("talk", fault)
            text = FAULT
        finally:
            signal.set()
        turns = [*turns, {"role": "assistant", "content": text}]
        yield self._view(turns), turns, sources, gr.update(**IDLE)

    def _view(self, turns: list[dict[str, Any]], writing: str | None = None) -> list[dict[str, Any]]:
        """The conversation as the chat shows it; person's words and cards alike are inert."""
        shown: list[dict[str, Any]] = []
        for number, turn in enumerate(turns):
            message: dict[str, Any] = {
                "role": turn["role"],
                "content": shown_text(turn),
            }
            choices = turn.get("choices", [])
            if choices and number == len(turns) - 1 and writing is None:
                message["options"] = [{"value": c, "label": c} for c in choices]
            shown.append(message)
        if writing is not None:
            shown.append({"role": "assistant", "content": escape(writing, quote=False)})
        return shown

    def _sources(self, turns: list[dict[str, Any]]) -> str:
        """Every card cited so far, those of the newest answer first and numbered as in it; before them the
        help lines, once they were needed."""
        cards = {card.id: card for card in self._coach.cards}
        labels: dict[str, str] = {}
        for turn in reversed(turns):
            newest = turn is turns[-1]
            for number, card in turn.get("citations", []):
                labels.setdefault(card, f"[{number}] " if newest else "")
        items = "".join(card_html(cards[card], label) for card, label in labels.items() if card in cards)
        rests = f'<div id="sources"><h2>What it rests on</h2>{items}</div>' if items else NO_SOURCES
        return self._lines(turns) + rests

    def _lines(self, turns: list[dict[str, Any]]) -> str:
        """The help lines, from a crisis answer on, whatever is talked about after it."""
        misunderstood = self._coach.words.crisis["misunderstood"]
        after = [following.get("content") for following in turns[1:]] + [""]
        needed = any(
            turn.get("kind") in ("urgent", "concern") and answer != misunderstood
            for turn, answer in zip(turns, after, strict=False)
        )
        if not needed:
            return ""
        lines = self._coach.words.lines_for(self._coach.settings.home).splitlines()
        items = "".join(f"<li>{escape(line.removeprefix('- '))}</li>" for line in lines)
        return f'<div id="lines"><h2>These people can help</h2><ul>{items}</ul></div>'


def log_fault(where: str, fault: Exception) -> None:
    """Log a bug by its kind and its lines of code; its message could hold a person's words."""
    places = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s failed: %s\n%s", where, type(fault).__name__, places)


def shown_text(turn: dict[str, Any]) -> str:
    """A turn's text made inert; in the coach's turns [1] becomes a link to its card."""
    text = escape(turn["content"], quote=False)
    for number, card in turn.get("citations", []):
        text = text.replace(f"[{number}]", f'<a class="cite" href="#card-{escape(card)}">[{number}]</a>')
    return text if turn["role"] == "assistant" else _no_markdown(text)


def _no_markdown(text: str) -> str:
    """What a person types is shown as typed: no heading, image or link is made of it."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~" else c for c in text)


def card_html(card: Card, before: str = "", *, is_open: bool = False) -> str:
    """One card as an inert, foldable block that a keyboard can open."""
    return (
        f'<details class="card" id="card-{escape(card.id)}"{" open" if is_open else ""}>'
        f"<summary>{escape(before + card.title)}</summary>"
        f'<div class="body">{escape(card.text)}<div class="from">From: {escape(card.source)}</div></div></details>'
    )


def _kept(reply: Reply) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": reply.reply,
        "citations": [(c.n, c.card) for c in reply.citations],
        "choices": [c.text for c in reply.choices],
        "kind": reply.kind,
    }


def _row(index: int | tuple[int, int] | list[int]) -> int:
    return index if isinstance(index, int) else int(index[0])
