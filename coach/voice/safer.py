"""A capable model's proposal for a safer wording of a draft. Whoever asked judges it again.

It does not decide anything: a proposal that adds a name, a number or a link is thrown away
here, and one that is no safer is not offered (coach.practice.review).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import HumanMessage

from coach.errors import ModelError
from coach.events import Axis
from coach.prompts import render

LONGEST = 1.2  # times the words of the draft
_TOLD = re.compile(r"https?://\S+|[@#]\w+|\d[\d.,/]*|(?<=[a-z,;] )[A-Z][\w'’]+")
_PREAMBLE = re.compile(
    r"^\s*(?:post|(?:here(?:'s| is) .{0,40})|rewritten post|sure[^:\n]{0,40})\s*:\s*", re.IGNORECASE
)


class Proposals:
    """Asks `model` for one wording; `changes` says by axis what it should change."""

    def __init__(self, model: BaseChatModel, changes: Mapping[Axis, str]) -> None:
        self._model, self._changes = model, changes

    def of(self, draft: str, axes: Sequence[Axis]) -> str | None:
        """Another wording of `draft` where `axes` speak against it; None if there is no usable one."""
        prompt = render("safer", draft=draft, changes=[self._changes[axis] for axis in axes])
        try:
            answer = str(self._model.invoke([HumanMessage(prompt)]).content)
        except ModelError:
            return None  # the rules still have a version
        wording = _PREAMBLE.sub("", answer).strip().strip('"“”').strip()
        if not wording or len(wording.split()) > LONGEST * len(draft.split()):
            return None
        return None if set(_TOLD.findall(wording)) - set(_TOLD.findall(draft)) else wording
