"""The "Should I post this?" tab: a draft, what it is judged to be and why, a safer version, a hold."""

from __future__ import annotations

import difflib
import re
import time
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.care.form import LIMITS, counted
from coach.errors import CoachError
from coach.events import Facts, Finding, Review
from coach.practice.held import Held
from coach.ui.talk import FAULT, card_html, log_fault
from coach.ui.theme import private

if TYPE_CHECKING:
    from coach.build import Coach

PLATFORMS = [
    ("X", "x"), ("Bluesky", "bluesky"), ("Mastodon", "mastodon"), ("LinkedIn", "linkedin"), ("Facebook", "facebook"),
    ("Instagram", "instagram"), ("TikTok", "tiktok"), ("Threads", "threads"), ("Somewhere else", ""),
]  # fmt: skip
CONSENT = [
    ("Nobody asked", ""),
    ("They said yes", "they said yes, nothing in writing"),
    ("Yes, in writing", "given in writing"),
]
HOLDS = [("an hour", 1.0), ("until tomorrow", 16.0), ("three days", 72.0)]
# Verdicts in words, a sign and a colour, so that none of them is needed alone.
VERDICTS = {
    "post": ("✓", "Post it"),
    "edit": ("✎", "Edit first"),
    "wait": ("⏸", "Wait"),
    "keep": ("■", "Keep it back"),
    "crisis": ("♥", "Something else first"),
    "refused": ("…", "Not yet"),
}
AXES = {
    "privacy": "Could somebody be recognised?",
    "anger": "Heat",
    "kindness": "Could it hurt somebody?",
    "claims": "Claims without ground",
    "purpose": "Form and aim",
}
SAFER, STEP = "A safer version", "This gives less away, and is not enough yet"
EMPTY = '<p class="quiet">What I think of it will stand here. Nothing is kept unless you hold it.</p>'


class ReviewTab:
    """Draws the tab and answers its events. Keeps nothing but what is held."""

    def __init__(self, coach: Coach) -> None:
        self._coach = coach
        self._held = coach.held

    def draw(self, blocks: gr.Blocks) -> None:
        """Lay the tab out inside the current Blocks."""
        before, version = gr.State(""), gr.State("")
        with gr.Row(elem_id="review-row"):
            with gr.Column(scale=1, min_width=320):
                draft = gr.Textbox(
                    elem_id="draft", label="Your draft", lines=7, max_lines=18,
                    placeholder="Paste it as you would post it. No notes, no letters.",
                    html_attributes=private(),
                )  # fmt: skip
                with gr.Row():
                    platform = gr.Dropdown(
                        PLATFORMS, value="x", label="Where", elem_id="platform", min_width=140
                    )
                    count = gr.HTML(_count("", "x"), elem_id="count")
                with gr.Accordion("What else is so? (if you like)", open=False):
                    image = gr.Textbox(
                        label="An image with it: what does it show?", lines=1, html_attributes=private()
                    )
                    consent = gr.Radio(CONSENT, value="", label="Consent of whoever is in it")
                    when = gr.Textbox(label="When did it happen?", lines=1, html_attributes=private())
                    employer = gr.Textbox(
                        label="Where do you work, as your profile says?", lines=1, html_attributes=private()
                    )
                    aim = gr.Textbox(label="What is the post for?", lines=1, html_attributes=private())
                with gr.Row():
                    check = gr.Button("Check", variant="primary", elem_id="check")
                    undo = gr.Button("Undo", interactive=False, elem_id="undo")
            with gr.Column(scale=1, min_width=320):
                judged = gr.HTML(EMPTY, elem_id="judged")
                misread = gr.Button(
                    self._coach.words.crisis["misunderstood"],
                    elem_id="review-misread",
                    size="sm",
                    visible=False,
                )
                with gr.Group(visible=False) as offer:
                    difference = gr.HTML(elem_id="difference")
                    safer = gr.Textbox(
                        label=SAFER, lines=3, elem_id="safer", buttons=["copy"], html_attributes=private()
                    )
                    use = gr.Button("Use this one", elem_id="use")
                with gr.Row():
                    hours = gr.Dropdown(HOLDS, value=16.0, label="Hold for", min_width=120)
                    hold = gr.Button("Hold this", elem_id="hold")
                held = gr.HTML(elem_id="held")
                with gr.Row():
                    which = gr.Dropdown([], label="Held drafts", elem_id="which", min_width=160)
                    let_go = gr.Button("Let it go", elem_id="let-go")

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        for changed in (draft.change, platform.change):
            changed(_count, [draft, platform], [count], queue=False, **quiet)
        facts = [image, consent, when, employer, aim]
        shown = [judged, offer, difference, safer, version, misread]
        check.click(self.check, [draft, platform, *facts], shown, **quiet)
        misread.click(partial(self.check, safe=True), [draft, platform, *facts], shown, **quiet)
        use.click(self.use, [draft, safer], [draft, before, undo], **quiet)
        undo.click(lambda text: (text, gr.update(interactive=False)), [before], [draft, undo], **quiet)
        hold.click(self.hold, [draft, platform, hours], [held, which], **quiet)
        which.input(self.look, [which, draft], [held], **quiet)
        let_go.click(self.let_go, [which], [held, which], **quiet)
        blocks.load(lambda: self.shelf(""), None, [held, which], **quiet)

    def check(
        self, draft: str, platform: str, image: str, consent: str, when: str, employer: str, aim: str,
        *, safe: bool = False,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Judge the draft and show it; `safe`: the person has said that it was misunderstood."""
        nothing = (gr.update(visible=False), "", "", "")
        try:
            # Gradio hands over None for what was left untouched.
            facts = Facts(
                employer=employer or "",
                consent=consent or "",
                image=image or "",
                when=when or "",
                aim=aim or "",
            )
            review = self._coach.ready_to_review().review(
                draft or "", platform=platform or "", facts=facts, safe=safe
            )
        except CoachError as fault:
            return _said(str(fault)), *nothing, gr.update(visible=False)
        except Exception as fault:  # the outermost edge: a bug must not cost the draft
            log_fault("review", fault)
            return _said(FAULT), *nothing, gr.update(visible=False)
        shown, misread = self._judged(draft, review), gr.update(visible=review.route == "crisis")
        if review.rewrite is None:
            return shown, *nothing, misread
        return (
            shown,
            gr.update(visible=True),
            difference_html(draft, review.rewrite),
            gr.update(value=review.rewrite, label=SAFER if review.rewrite_is_safe else STEP),
            review.rewrite,
            misread,
        )

    @staticmethod
    def use(draft: str, safer: str) -> tuple[Any, ...]:
        """Put the safer version in the draft's place; the draft stays for Undo."""
        return safer, draft, gr.update(interactive=True)

    def hold(self, draft: str, platform: str, hours: float) -> tuple[Any, ...]:
        """Keep the draft on this computer for a while."""
        if not (draft or "").strip():
            return _said("There is nothing to hold yet."), gr.skip()
        try:
            self._held.hold(draft, platform, float(hours))
        except CoachError as fault:
            return _said(str(fault)), gr.skip()
        return self.shelf("Held, on this computer only. ")

    def let_go(self, held_id: str | None) -> tuple[Any, ...]:
        """Delete a held draft."""
        if held_id:
            self._held.let_go(held_id)
        return self.shelf("")

    def look(self, held_id: str | None, draft: str) -> str:
        """A held draft beside what stands in the box now."""
        found = next((h for h in self._held.all() if h.id == held_id), None)
        if found is None:
            return EMPTY
        now = (draft or "").strip() or "(what would you write now?)"
        return (
            '<div class="beside">'
            f"<div><h3>Then ({escape(_when(found))})</h3><p>{_lines(found.draft)}</p></div>"
            f"<div><h3>Now</h3><p>{_lines(now)}</p></div></div>"
        )

    def shelf(self, said: str) -> tuple[Any, ...]:
        """The held drafts as a line and as choices."""
        drafts = self._held.all()
        due = sum(h.is_due for h in drafts)
        if drafts:
            said += (
                f"{len(drafts)} held, {due} ready to be looked at again." if due else f"{len(drafts)} held."
            )
        choices = [(f"{_when(h)}: {h.draft[:40]}", h.id) for h in drafts]
        return (_said(said) if said else ""), gr.update(choices=choices, value=None)

    def _judged(self, draft: str, review: Review) -> str:
        sign, word = VERDICTS[review.verdict if review.route == "answer" else review.route]
        kind = review.verdict if review.route == "answer" else review.route
        said = review.reply.removeprefix(f"{word}.").lstrip()
        head = (
            f'<h2 class="verdict {kind}"><span aria-hidden="true">{sign}</span> {word}</h2>'
            f'<p id="said">{_lines(said)}</p>'
        )
        if review.route != "answer":
            return f'<div role="status">{head}</div>'
        bars = "".join(_bar(name, review.axes[axis]) for axis, name in AXES.items())  # type: ignore[index]
        marked = (
            f'<h3>Your words</h3><p id="marked">{marked_html(draft, review.findings)}</p>'
            if review.findings
            else ""
        )
        cards = {card.id: card for card in self._coach.cards}
        cited = dict.fromkeys(f.card for f in review.findings if f.card in cards)
        rests = "".join(card_html(cards[card]) for card in cited)
        rests = f"<h3>What it rests on</h3>{rests}" if rests else ""
        return f'<div role="status">{head}</div><div class="bars">{bars}</div>{marked}{rests}'


def marked_html(draft: str, findings: tuple[Finding, ...]) -> str:
    """The draft with every finding marked; each says why on hover, focus or tap, and to a screen reader."""
    out, at = [], 0
    # Shorter ones first where they overlap, so that a word stays marked inside a marked sentence.
    chosen: list[Finding] = []
    for finding in sorted(findings, key=lambda f: f.end - f.start):
        if finding.end > finding.start and all(
            finding.end <= c.start or finding.start >= c.end for c in chosen
        ):
            chosen.append(finding)
    for f in sorted(chosen, key=lambda f: f.start):
        out.append(_lines(draft[at : f.start]))
        out.append(
            f'<mark class="{f.axis}" tabindex="0" title="{escape(f.why)}">{_lines(draft[f.start : f.end])}'
            f'<span class="why" role="note">{escape(f.why)}</span></mark>'
        )
        at = f.end
    return "".join([*out, _lines(draft[at:])])


def difference_html(draft: str, version: str) -> str:
    """What goes and what comes, word by word."""
    old, new = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (draft, version))
    out = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = _lines("".join(old[a:b])), _lines("".join(new[c:d]))
        if kind == "equal":
            out.append(gone)
            continue
        out.append(
            (f"<del>{gone}</del>" if gone.strip() else "") + (f"<ins>{come}</ins>" if come.strip() else come)
        )
    return f'<h3>What would change</h3><p class="difference">{"".join(out)}</p>'


def _count(text: str | None, platform: str | None) -> str:
    used, limit = counted(text or "", platform or ""), LIMITS.get(platform or "")
    over = " over" if limit is not None and used > limit else ""
    of = f" of {limit}" if limit is not None else ""
    return f'<p class="quiet count{over}" aria-live="polite">{used}{of} characters{", too long" if over else ""}</p>'


def _bar(name: str, value: float) -> str:
    share = round(100 * value)
    word = (
        "nothing to see"
        if value < 0.25
        else "a little"
        if value < 0.5
        else "yes"
        if value < 0.8
        else "clearly"
    )
    return (
        f'<div class="bar"><span>{name}</span><span class="word">{word}</span>'
        f'<div role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share}">'
        f'<div class="fill" style="width:{share}%"></div></div></div>'
    )


def _when(held: Held) -> str:
    day = time.strftime("%d %b, %H:%M", time.localtime(held.since_s))
    if held.is_due:
        return f"{day}, ready"
    return f"{day}, waits until {time.strftime('%d %b, %H:%M', time.localtime(held.until_s))}"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _said(text: str) -> str:
    return f'<p class="quiet" role="status">{escape(text)}</p>'
