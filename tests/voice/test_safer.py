"""A proposed wording is thrown away when it adds a fact or is no wording at all."""

from __future__ import annotations

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from coach.build import Coach
from coach.voice.safer import Proposals

DRAFT = "Saw a 4 year old from Leeds last night with a battery in her throat. Keep them away from toddlers."


def proposed(coach: Coach, answer: str) -> str | None:
    proposals = Proposals(FakeListChatModel(responses=[answer]), coach.review_words["changes"])
    return proposals.of(DRAFT, ["privacy"])


def test_proposal_is_the_post_alone(coach: Coach) -> None:
    wording = "Saw a child with a battery in her throat. Keep them away from toddlers."
    assert proposed(coach, f'Here is the rewritten post: "{wording}"') == wording


@pytest.mark.parametrize(
    "answer",
    [
        "Saw a 6 year old with a battery in her throat. Keep them away from toddlers.",
        "Saw a child in Hull with a battery. Keep them away from toddlers, see https://example.org",
        "",
        DRAFT * 3,
    ],
)
def test_proposal_that_adds_or_says_nothing_is_dropped(coach: Coach, answer: str) -> None:
    assert proposed(coach, answer) is None
