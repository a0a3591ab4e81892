"""The Settings tab: which voice speaks here, whose help lines are named, what drafts are held against."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from coach.errors import CoachError
from coach.events import cleaned
from coach.settings import config_file, keep

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.settings import VoiceSetting

VOICES = [
    ("As suits the model", "auto"),
    ("Guided: people wrote the answers", "guided"),
    ("Free: the model writes, each sentence is checked", "free"),
]
COUNTRIES = {
    "": "International",
    "AU": "Australia",
    "CA": "Canada",
    "DE": "Germany",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "NZ": "New Zealand",
    "US": "United States",
}
AIM_LENGTH = 200


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
