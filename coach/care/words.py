"""The fixed words: what is said when coaching is not what is needed. People wrote them.

Read from knowledge/care/*.yaml, so that a line, a number or a sentence can be mended in
one place by somebody who does not program.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coach.errors import KnowledgeError

# libyaml's loader where it is there: the same safe types, ten times as fast.
QUICK_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Frozen(BaseModel):
    """A record that does not change; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Kind(Frozen):
    """A kind of message the gate knows: examples, and the fixed words for it."""

    examples: tuple[str, ...] = Field(min_length=10)
    answers: tuple[str, ...] = ()


class Line(Frozen):
    """A help line. `checked` is the date it was held against its source, or None."""

    name: str
    contact: str
    for_whom: str
    source: str
    checked: str | None = None


class CareWords(Frozen):
    """All kinds with their words, and the help lines by country (ISO code, or `international`)."""

    kinds: Mapping[str, Kind]
    follow: Mapping[str, Kind]
    crisis: Mapping[str, str]
    lines: Mapping[str, tuple[Line, ...]]

    def in_danger(self, name: str, country: str) -> str:
        """The crisis answer called `name`, with the help lines of a country in their place."""
        text = self.crisis[name].replace("{lines}", "\n\n" + self.lines_for(country) + "\n\n")
        return "\n\n".join(part.strip() for part in text.split("\n\n"))

    def lines_for(self, country: str) -> str:
        """The help lines of a country, one a line, for the `{lines}` in a crisis answer."""
        known = self.lines.get(country.upper()) or ()
        chosen = (*known, *self.lines["international"]) if known else self.lines["international"]
        return "\n".join(f"- {line.name}: {line.contact} ({line.for_whom})" for line in chosen)


def load_words(folder: Path) -> CareWords:
    """Read crisis.yaml, gate.yaml and follow.yaml, and more examples of their kinds from examples.yaml.

    Raises:
        KnowledgeError: a file is missing or does not hold together; says which and what.
    """
    crisis = _read(folder / "crisis.yaml")
    gate, follow = _read(folder / "gate.yaml"), _read(folder / "follow.yaml")
    more: dict[str, list[str]] = _read(folder / "examples.yaml")
    levels: dict[str, Any] = {
        name: crisis.pop(name) for name in ("urgent", "concern", "harmless") if name in crisis
    }
    try:
        return CareWords(
            kinds={
                name: Kind(**{**kind, "examples": [*kind["examples"], *more.get(name, ())]})
                for name, kind in (levels | _flat(gate)).items()
            },
            follow={name: Kind(**kind) for name, kind in follow.items()},
            crisis=crisis["answers"],
            lines={country: tuple(Line(**x) for x in found) for country, found in crisis["lines"].items()},
        )
    except (ValidationError, TypeError, KeyError) as fault:
        raise KnowledgeError(f"{folder}: mend what does not fit: {fault}") from fault


def _flat(gate: Mapping[str, Any]) -> dict[str, Any]:
    """Kinds that have kinds of their own (`grief`: own, patient, other) become `grief.own` and so on."""
    flat: dict[str, Any] = {}
    for name, kind in gate.items():
        if "examples" in kind:
            flat[name] = kind
        else:
            flat.update({f"{name}.{part}": inner for part, inner in kind.items()})
    return flat


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=QUICK_LOADER)  # noqa: S506
        return found
    except (OSError, yaml.YAMLError) as fault:
        raise KnowledgeError(f"{path}: cannot be read ({fault}); mend it.") from fault
