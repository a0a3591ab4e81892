"""The Settings tab: which voice speaks here, whose help lines are named, what drafts are held against."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from coach.errors import CoachError
from coach.events import cleaned
from coach.settings import config_file, keep
from coach.ui.theme import private

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.settings import VoiceSetting

VOICES = [
    ("As suits the model", "auto"),
    ("Guided: people wrote the answers", "guided"),
    ("Free: the model writes, each sentence is checked", "free"),
]
COUNTRIES = {
    "": "As this computer is set",
    "AU": "Australia",
    "CA": "Canada",
    "DE": "Germany",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "NZ": "New Zealand",
    "US": "United States",
    "international": "None of these",
}
AIM_LENGTH = 200
NOTHING_LOOKED_UP = (
    '<p class="quiet">Held drafts, rehearsals you chose to keep, and what is set above. Nothing else.</p>'
)


class SettingsTab:
    """Draws the tab and keeps what is chosen there."""

    def __init__(self, coach: Coach) -> None:
        self._coach = coach

    def draw(self, speaking: gr.HTML) -> None:
        """Lay the tab out; `speaking` is the line of the page that says who speaks."""
        settings = self._coach.settings
        country = gr.Dropdown(
            [(name, code) for code, name in COUNTRIES.items()],
            value=settings.country.upper() if settings.country.upper() in COUNTRIES else "",
            label="Help lines from", elem_id="set-country",
            info="Named when somebody is not all right. Pick the country you live in.",
        )  # fmt: skip
        voice = gr.Radio(
            VOICES, value=settings.voice, label="Voice", elem_id="set-voice",
            info="A small model chooses among written answers; a capable one can be let write.",
        )  # fmt: skip
        aim = gr.Textbox(
            settings.aim, label="What do you post for?", lines=1, max_length=AIM_LENGTH, elem_id="set-aim",
            info="One line, if you like: your message, in your words. Drafts are held against it.",
            html_attributes=private(),
        )  # fmt: skip
        gr.HTML(self._model())
        save = gr.Button("Save", variant="primary", elem_id="set-save")
        done = gr.HTML(elem_id="set-done")
        save.click(
            self.save,
            [voice, country, aim],
            [done, speaking],
            show_progress="hidden",
            api_visibility="private",
        )
        self.draw_kept()

    def draw_kept(self) -> None:
        """What is kept of the person, the copy of it, and how to delete it."""
        gr.HTML("<h2>Kept on this computer</h2>")
        listed = gr.HTML(NOTHING_LOOKED_UP, elem_id="kept-list")
        with gr.Row():
            look = gr.Button("Show what is kept", elem_id="kept-look", size="sm")
            copy = gr.Button("Make a copy", elem_id="kept-copy", size="sm")
            delete = gr.Button("Delete all of it", elem_id="kept-delete", size="sm")
        sure = gr.Checkbox(False, label="Yes, delete it; I have a copy or want none", elem_id="kept-sure")
        brought = gr.Textbox(
            label="Bring a copy back: open the file, paste all of it here", lines=2, max_lines=4,
            elem_id="kept-paste",
            html_attributes=private(),
        )  # fmt: skip
        bring = gr.Button("Bring it back", elem_id="kept-bring", size="sm")
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        look.click(self.listed, None, listed, **quiet)
        copy.click(self.copied, None, listed, **quiet)
        delete.click(self.deleted, [sure], [listed, sure], **quiet)
        bring.click(self.brought_back, [brought], [listed, brought], **quiet)

    def listed(self, said: str = "") -> str:
        """What is kept, a line for each."""
        lines = self._coach.kept.listed()
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        where = f"<p>In {escape(str(self._coach.settings.data_dir))}, open to your account alone:</p>"
        return said + (f"{where}<ul>{items}</ul>" if lines else _note("Nothing is kept."))

    def copied(self) -> str:
        """The copy as a link inside the page: it is on the disk only where the person saves it."""
        text = b64encode(self._coach.kept.copied(self._coach.settings).encode()).decode()
        link = (
            f'<a download="serendip-copy.json" href="data:application/json;base64,{text}">Save the copy</a>'
        )
        return self.listed(f"<p>{link}. Whoever has the file can read it.</p>")

    def brought_back(self, text: str | None) -> tuple[str, Any]:
        """Add what a pasted copy holds."""
        try:
            copy = self._coach.bring_back(text or "")
            keep(**copy.settings.model_dump(exclude_defaults=True))
        except CoachError as fault:
            return _note(str(fault)), gr.skip()
        except OSError as fault:
            return _note(f"It could not be written ({fault.strerror}); free some space."), gr.skip()
        return self.listed(_note("Brought back.")), ""

    def deleted(self, sure: bool) -> tuple[str, Any]:
        """Delete everything, once the person has said so."""
        if not sure:
            return _note("Tick the box first; it cannot be undone."), gr.skip()
        self._coach.forget()
        return _note("Deleted. Nothing is kept."), False

    def save(self, voice: str, country: str, aim: str | None) -> tuple[str, Any]:
        """Use what was chosen from the next message on, and at every later start."""
        known = {value for _, value in VOICES}
        if voice not in known or country not in COUNTRIES:
            return _note("Choose one of the entries shown."), gr.skip()
        aim = cleaned(aim or "")[:AIM_LENGTH]
        try:
            self._coach.change(voice=cast("VoiceSetting", voice), country=country, aim=aim)
            path = keep(voice=voice, country=country, aim=aim)
            self._coach.ready()
        except CoachError as fault:
            return _note(str(fault)), gr.skip()
        except OSError as fault:
            return _note(
                f"In use now, but not kept: {config_file()} cannot be written ({fault.strerror})."
            ), (speaking_html(self._coach))
        return _note(f"Saved, in {path}. Nothing of your conversations is in it."), speaking_html(self._coach)

    def _model(self) -> str:
        """Which model is in use and how another is chosen."""
        chosen = self._coach.model
        suits = {"guided": "the guided voice", "free": "the free voice", None: "a voice it is tried out for"}
        return (
            '<p class="quiet" id="set-model">'
            f"Model: {escape(chosen.name)}. {escape(chosen.about)}. It gets {suits[chosen.voice]}. "
            "Another is chosen with <code>coach model use</code>.</p>"
        )


def speaking_html(coach: Coach) -> str:
    """The line that says who speaks, and what is amiss with the model if anything is."""
    fault = f" {coach.model_fault}" if coach.model_fault else ""
    return f'<p class="quiet" id="speaking">{escape(coach.speaking + fault)}</p>'


def _note(text: str) -> str:
    return f'<p class="quiet" role="status">{escape(text)}</p>'
