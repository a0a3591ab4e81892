"""The Rehearse tab: prepare, meet, look back; what is covered stands beside it, helps under it."""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.errors import CoachError
from coach.library.meeting import TOPICS
from coach.practice.debrief import Debrief
from coach.practice.session import Session, Setup, Spoken
from coach.practice.sheet import as_calendar, as_pdf
from coach.ui.talk import FAULT, card_html, log_fault
from coach.ui.theme import private
from coach.voice.listening import COVERS_AT

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.practice.rehearse import Action, Rehearsal, Step

STYLES = [("Gentle guidance", "gentle"), ("More structured", "structured")]
MANNERS = [
    ("Kind", "kind"), ("Busy and brisk", "brisk"), ("Asks the hard question", "hard"),
    ("Drifts into their own story", "drifts"),
]  # fmt: skip
ROOMS = (("prepare", "Prepare"), ("meet", "Meet"), ("debrief", "Look back"))
NAMES = {
    "why": "Why you joined", "where": "Where you are", "needs": "What you need", "guidance": "How you work best",
    "expectations": "What you expect of each other", "next": "A next step",
}  # fmt: skip
BEGUN_NOT = '<p class="quiet">Choose how your mentor is, then begin. Every question can be skipped.</p>'
CARD = "rehearsal-with-feedback"
FORMAT = "%Y-%m-%d %H:%M"
SHOWN = 13  # parts of the tab that an event fills


class RehearseTab:
    """Draws the tab and answers its events. Keeps nothing itself: a session lives in the flow's thread."""

    def __init__(self, coach: Coach) -> None:
        self._coach = coach

    def draw(self, blocks: gr.Blocks, kept: gr.BrowserState) -> None:
        """Lay the tab out inside the current Blocks; `kept` is what this browser remembers of a rehearsal."""
        helps = self._coach.meeting.words["helps"]
        at = gr.State({"thread": "", "keep": False})
        steps = gr.HTML(_steps(None), elem_id="steps")
        with gr.Accordion("The mentor", open=True, elem_id="mentor") as setting:
            with gr.Row():
                style = gr.Radio(STYLES, value="gentle", label="Style", elem_id="style")
                manner = gr.Radio(MANNERS, value="kind", label="How they are today", elem_id="manner")
            with gr.Row():
                field = gr.Textbox(
                    label="Their field, if you like",
                    lines=1,
                    max_length=100,
                    elem_id="field",
                    html_attributes=private(),
                )
                minutes = gr.Number(30, label="Minutes you have", minimum=5, maximum=240, precision=0)
            keep = gr.Checkbox(
                False,
                label="Keep this rehearsal on this computer, so that I can come back to it",
                elem_id="keep",
            )
            with gr.Row():
                begin = gr.Button("Begin", variant="primary", elem_id="begin")
                straight = gr.Button("Straight to the meeting", elem_id="straight")
        with gr.Row(elem_id="rehearse-row"):
            with gr.Column(scale=3, min_width=320):
                chat = gr.Chatbot(
                    elem_id="meeting", show_label=False, height="52vh", buttons=["copy"], sanitize_html=True,
                    allow_tags=False, layout="bubble", feedback_options=None, autoscroll=True,
                )  # fmt: skip
                box = gr.Textbox(
                    elem_id="say", show_label=False, container=False, lines=1, max_lines=10, submit_btn="Say it",
                    placeholder="Answer in your own words. Enter sends, Shift and Enter starts a new line.",
                    html_attributes=private(),
                )  # fmt: skip
                misread = gr.Button(
                    self._coach.words.crisis["misunderstood"], elem_id="misread", size="sm", visible=False
                )
                with gr.Row(elem_id="preparing", visible=False) as preparing:
                    skip = gr.Button("Skip this one", elem_id="skip", size="sm")
                    meet = gr.Button("On to the meeting", elem_id="meet", size="sm")
                with gr.Row(elem_id="helps", visible=False) as helping:
                    could = gr.Button(helps["could_say"], elem_id="could", size="sm")
                    ask = gr.Button(helps["coach"], elem_id="ask-coach", size="sm")
                    back = gr.Button(helps["rewind"], elem_id="rewind", size="sm")
                    end = gr.Button(helps["end"], elem_id="end", size="sm")
            with gr.Column(scale=2, min_width=280):
                side = gr.HTML(BEGUN_NOT, elem_id="side")
        with gr.Column(visible=False) as looking:
            debrief = gr.HTML(elem_id="debrief")
            replay = gr.Button("Try that moment again", elem_id="replay", size="sm")
            sheet = gr.Textbox(
                label="Your sheet, to change as you like",
                lines=16,
                elem_id="sheet",
                buttons=["copy"],
                html_attributes=private(),
            )
            with gr.Row():
                when = gr.Textbox(
                    label="When do you meet? (2027-01-15 14:00, or nothing)",
                    lines=1,
                    elem_id="when",
                    max_length=20,
                    html_attributes=private(),
                )
                save = gr.Button("Make the files", elem_id="save")
            files = gr.HTML(elem_id="files")
            said = gr.HTML(elem_id="saved")

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        shown = [
            at,
            kept,
            chat,
            steps,
            side,
            looking,
            debrief,
            sheet,
            setting,
            box,
            preparing,
            helping,
            misread,
        ]
        settings = [style, manner, field, minutes, keep]
        begin.click(self.begin, settings, shown, **quiet)
        straight.click(self.straight, settings, shown, **quiet)
        box.submit(self.say, [at, chat, box], shown, **quiet)
        doing: list[tuple[gr.Button, Action]] = [
            (skip, "skip"), (meet, "meet"), (could, "could_say"), (ask, "ask_coach"), (end, "end"),
            (misread, "misunderstood"),
        ]  # fmt: skip
        for button, action in doing:
            button.click(self._doing(action), [at, chat], shown, **quiet)
        back.click(self.back, [at, chat], shown, **quiet)
        replay.click(self.replay, [at, chat], shown, **quiet)
        save.click(self.files, [sheet, when, at], [files, said], **quiet)
        blocks.load(self.resume, [kept], shown, **quiet)

    # ---- events

    def begin(self, style: str, manner: str, field: str, minutes: float, keep: bool) -> tuple[Any, ...]:
        """A new rehearsal, from its preparation on."""
        thread = secrets.token_hex(8)
        at = {"thread": thread, "keep": bool(keep)}
        setup = Setup(style=style, difficulty=manner, field=(field or "")[:120], minutes=int(minutes or 30),
                      seed=secrets.randbelow(1_000_000))  # fmt: skip
        try:
            step = self._flow(at).begin(thread, setup)
        except CoachError as fault:
            return self._fault(at, [], str(fault))
        return self._shown(at, [], step)

    def straight(self, style: str, manner: str, field: str, minutes: float, keep: bool) -> tuple[Any, ...]:
        """A new rehearsal, without preparing."""
        begun = self.begin(style, manner, field, minutes, keep)
        return self._do(begun[0], [], "meet")

    def say(self, at: dict[str, Any], chat: list[Any], text: str) -> tuple[Any, ...]:
        """The person's answer; what they typed stays in the box if it could not be taken."""
        if not (text or "").strip():
            return (gr.skip(),) * SHOWN
        return self._do(at, chat or [], "answer", text)

    def back(self, at: dict[str, Any], chat: list[Any]) -> tuple[Any, ...]:
        """Go back before the last answer and try again."""
        session = self._session(at)
        return self._rewound(at, chat, len(session.answers) - 1 if session else -1)

    def replay(self, at: dict[str, Any], chat: list[Any]) -> tuple[Any, ...]:
        """From the debrief back to the moment it names."""
        session = self._session(at)
        looked = self._flow(at).look_back(session)[0] if session else None
        return self._rewound(at, chat, looked.try_next.answer if looked and looked.try_next else -1)

    def resume(self, kept: dict[str, Any] | None) -> tuple[Any, ...]:
        """After a reload or restart: go on where it was, or say that it is gone."""
        at = kept or {"thread": "", "keep": False}
        if not at.get("thread"):
            return (gr.skip(),) * SHOWN
        session = self._session(at) if at["keep"] else None
        if session is None:
            gone = self._coach.meeting.words["gone"]
            fresh = {"thread": "", "keep": False}
            return (
                fresh,
                fresh,
                [],
                _steps(None),
                f'<p class="quiet">{escape(gone)}</p>',
                *(gr.skip(),) * (SHOWN - 5),
            )
        lines = [_message(turn) for turn in session.turns]
        if session.room == "prepare":
            question = next(
                q
                for q in self._coach.meeting.words["prepare"]["questions"]
                if q["id"] == (session.asking or "why")
            )
            lines = [{"role": "assistant", "content": escape(question["ask"], quote=False)}]
        return self._view(at, lines, session)

    def files(self, sheet: str, when: str, at: dict[str, Any]) -> tuple[Any, str]:
        """The sheet as three files, inside the page: nothing is written here until the person saves one."""
        session = self._session(at)
        try:
            start = datetime.strptime(when.strip(), FORMAT).astimezone() if (when or "").strip() else None
        except ValueError:
            return gr.skip(), _note("Write the day and time like 2027-01-15 14:00, or leave it empty.")
        start = start or datetime.now().astimezone().replace(hour=9, minute=0, second=0, microsecond=0)
        minutes = session.setup.minutes if session else 30
        links = "".join(
            f'<li><a download="{name}" href="data:{kind};base64,{b64encode(content).decode()}">{label}</a></li>'
            for name, kind, label, content in (
                ("sheet.md", "text/markdown", "The sheet as text (Markdown)", sheet.encode()),
                ("sheet.pdf", "application/pdf", "The sheet to print (PDF)", as_pdf(sheet)),
                (
                    "meeting.ics",
                    "text/calendar",
                    "The meeting for your calendar",
                    as_calendar(sheet, start, minutes),
                ),
            )
        )
        return f"<ul>{links}</ul>", _note("Three files, ready to be saved where you like.")

    # ---- the flow behind it

    def _doing(self, action: Action) -> Any:
        return lambda at, chat: self._do(at, chat or [], action)

    def _do(self, at: dict[str, Any], chat: list[Any], action: Action, text: str = "") -> tuple[Any, ...]:
        chat = list(chat)
        if text:
            chat.append({"role": "user", "content": _inert(text)})
        try:
            before = self._session(at)
            step = self._flow(at).step(at["thread"], action, text)
            if action == "meet" and (before is None or before.room != "meet"):
                chat = []
            if action == "end" and at["keep"] and before is not None and before.room != "debrief":
                self._coach.earlier.add(self._flow(at).look_back(step.session)[0])
        except CoachError as fault:
            return self._fault(at, chat, str(fault))
        except Exception as fault:  # the outermost edge: a bug must not cost the rehearsal
            log_fault("rehearse", fault)
            return self._fault(at, chat, FAULT)
        return self._shown(at, chat, step)

    def _rewound(self, at: dict[str, Any], chat: list[Any], answer: int) -> tuple[Any, ...]:
        try:
            step = self._flow(at).rewind(at["thread"], answer)
        except CoachError as fault:
            return self._fault(at, chat or [], str(fault))
        return self._view(at, [_message(turn) for turn in step.session.turns], step.session)

    def _flow(self, at: dict[str, Any]) -> Rehearsal:
        return self._coach.ready_to_rehearse(keep=bool(at.get("keep")))

    def _session(self, at: dict[str, Any]) -> Session | None:
        return self._flow(at).session(at["thread"]) if at.get("thread") else None

    # ---- what is shown

    def _shown(self, at: dict[str, Any], chat: list[Any], step: Step) -> tuple[Any, ...]:
        return self._view(at, [*chat, *(_message(turn) for turn in step.said)], step.session)

    def _view(self, at: dict[str, Any], chat: list[Any], session: Session) -> tuple[Any, ...]:
        kept = at if at["keep"] else {"thread": at["thread"], "keep": False}
        looking, told, text = gr.update(visible=False), "", gr.skip()
        if session.room == "debrief":
            looked, sheet = self._flow(at).look_back(session)
            looking, told, text = gr.update(visible=True), self._debrief_html(looked, session, at), sheet
        return (
            at, kept, chat, _steps(session), _side(session), looking, told, text,
            gr.update(open=False), gr.update(value=""), gr.update(visible=session.room == "prepare"),
            gr.update(visible=session.room == "meet"),
            gr.update(visible=session.turns[-1:] != () and session.turns[-1].move == "crisis"),
        )  # fmt: skip

    @staticmethod
    def _fault(at: dict[str, Any], chat: list[Any], text: str) -> tuple[Any, ...]:
        said = [*chat, {"role": "assistant", "content": escape(text, quote=False)}]
        return at, gr.skip(), said, *(gr.skip(),) * (SHOWN - 3)

    def _debrief_html(self, looked: Debrief, session: Session, at: dict[str, Any]) -> str:
        notes = "".join(
            f'<li class="{"yes" if t in looked.covered else "no"}"><strong>{NAMES[t]}.</strong> {escape(looked.notes[t])}</li>'
            for t in TOPICS
        )
        strong = "".join(f"<li>{escape(s.text)}</li>" for s in looked.strengths)
        weak = ""
        if looked.try_next is not None:
            weak = (
                f"<h3>One thing to try</h3><p>{escape(looked.try_next.text)}</p>"
                f"<p>Try saying: “{escape(looked.instead)}”</p>"
            )
        card = next((c for c in self._coach.cards if c.id == CARD), None)
        return (
            f'<div role="status"><h2>Looking back</h2><p>{escape(looked.opening)}</p>{_wheel(looked)}'
            f'<ul class="covered">{notes}</ul><h3>What carried</h3><ul>{strong}</ul>{weak}'
            f"<h3>In figures</h3><p>{_figures(looked)} {self._progress(looked, at)}</p>"
            f"<p>{escape(looked.closing)}</p>{_attempts(session)}</div>{card_html(card) if card else ''}"
        )

    def _progress(self, looked: Debrief, at: dict[str, Any]) -> str:
        earlier = self._coach.earlier.all()[:-1] if at["keep"] else []
        if not earlier:
            return ""
        last = earlier[-1]
        return f"Last time: {last.covered} of {len(TOPICS)} covered, {last.asked} questions asked."


def _message(turn: Spoken) -> dict[str, Any]:
    if turn.role == "mentee":
        return {"role": "user", "content": _inert(turn.text)}
    text = escape(turn.text, quote=False)
    return {
        "role": "assistant",
        "content": f"*The coach:* {text}" if turn.role == "coach" and turn.move != "crisis" else text,
    }


def _inert(text: str) -> str:
    """What a person types is shown as typed."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~" else c for c in escape(text, quote=False))


def _steps(session: Session | None) -> str:
    room = session.room if session else ""
    done = len(session.prepared) if session else 0
    counts = {"prepare": f" ({done} of 9)" if done else "", "meet": "", "debrief": ""}
    items = "".join(
        f'<li class="{"now" if name == room else ""}"{" aria-current=step" if name == room else ""}>{label}{counts[name]}</li>'
        for name, label in ROOMS
    )
    return f'<ol class="steps">{items}</ol>'


def _side(session: Session) -> str:
    """What is covered so far, what is open, and another attempt beside this one."""
    if session.room == "prepare":
        done = "".join(f"<li>{escape(p.text)}</li>" for p in session.prepared.values() if p.text)
        return f"<h2>What you have so far</h2><ul>{done}</ul>" if done else BEGUN_NOT
    covered = session.coverage()
    bars = "".join(
        f'<div class="bar"><span>{NAMES[t]}</span><span class="word">{"covered" if covered[t] >= COVERS_AT else "open"}</span>'
        f'<div role="meter" aria-label="{NAMES[t]}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{round(100 * covered[t])}">'
        f'<div class="fill" style="width:{round(100 * covered[t])}%"></div></div></div>'
        for t in TOPICS
    )
    return f"<h2>So far</h2>{bars}{_attempts(session)}"


def _attempts(session: Session) -> str:
    """The newest earlier attempt and this one, side by side from where they part."""
    if not session.attempts:
        return ""
    old, new = session.attempts[-1], session.turns
    apart = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    sides = [
        "".join(
            f"<p><strong>{'You' if t.role == 'mentee' else 'Mentor'}:</strong> {escape(t.text)}</p>"
            for t in turns[apart : apart + 4]
        )
        for turns in (old, new)
    ]
    return (
        f'<h3>Two tries</h3><div class="beside"><div><h4>Before</h4>{sides[0]}</div>'
        f"<div><h4>Now</h4>{sides[1] or '<p>(it is your turn)</p>'}</div></div>"
    )


def _figures(looked: Debrief) -> str:
    share = round(100 * looked.spoke)
    asked = {0: "You asked no question.", 1: "You asked once."}.get(
        looked.asked, f"You asked {looked.asked} times."
    )
    return f"Of all words in the meeting, {share} in a hundred were yours. {asked}"


def _wheel(looked: Debrief) -> str:
    """What was covered as a picture: one bar a topic, filled or empty; the list below says the same."""
    width, gap = 52, 6
    bars = "".join(
        f'<rect x="{i * (width + gap)}" y="0" width="{width}" height="14" rx="7" class="{"yes" if t in looked.covered else "no"}"/>'
        for i, t in enumerate(TOPICS)
    )
    words = f"{len(looked.covered)} of {len(TOPICS)} topics covered"
    return f'<svg class="wheel" viewBox="0 0 {len(TOPICS) * (width + gap)} 14" role="img" aria-label="{words}">{bars}</svg>'


def _note(text: str) -> str:
    return f'<p class="quiet" role="status">{escape(text)}</p>'
