"""The Library tab: every card by theme, and a search over them."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

import gradio as gr

from coach.ui.talk import card_html
from coach.ui.theme import private

if TYPE_CHECKING:
    from coach.build import Coach

THEMES = {
    "stance": "Where you stand",
    "compass": "Finding your way",
    "goals": "Goals",
    "community": "People",
    "conduct": "Keeping your head",
    "doubt": "Doubt",
    "boundaries": "Phone, time, rest",
    "mentoring": "Mentors",
    "patients": "Patients in posts",
    "people": "What a post says",
    "": "Your notes",
}


class LibraryTab:
    """Draws the tab and answers its search."""

    def __init__(self, coach: Coach) -> None:
        self._coach = coach

    def draw(self) -> None:
        """Lay the tab out inside the current Blocks."""
        query = gr.Textbox(
            elem_id="library-search", show_label=False, container=False, lines=1, max_length=400,
            placeholder="Look for a card, in your own words.", submit_btn="Search",
            html_attributes=private(),
        )  # fmt: skip
        shelf = gr.HTML(self.shelf(""))
        query.submit(self.shelf, [query], [shelf], api_visibility="private")

    def shelf(self, query: str) -> str:
        """All cards by theme, or those found for `query`, best first."""
        if not query.strip():
            parts = [
                f'<div class="theme">{escape(THEMES.get(theme, theme))}</div>'
                + "".join(card_html(card) for card in group)
                for theme, group in groupby(self._coach.cards, key=lambda card: card.theme)
            ]
            return f'<div class="shelf"><h2>{len(self._coach.cards)} cards</h2>{"".join(parts)}</div>'
        self._coach.ready()
        found = self._coach.search.search(query[:400], k=5)
        cards = {card.id: card for card in self._coach.cards}
        note = (
            ""
            if found.covered
            else '<p class="quiet">Nothing here is really about that; these come nearest.</p>'
        )
        items = "".join(card_html(cards[p.card], is_open=n == 0) for n, p in enumerate(found.passages))
        return f'<div class="shelf">{note}{items}</div>'
