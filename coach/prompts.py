"""Every word that is sent to a model lies in prompts/*.jinja; this loads and renders it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from coach.errors import CoachError


def render(name: str, **values: object) -> str:
    """Render `prompts/<name>.jinja`; a variable that is not given is an error.

    Raises:
        CoachError: no such prompt, or a variable is missing.
    """
    try:
        return _environment().get_template(f"{name}.jinja").render(**values).strip()
    except TemplateError as fault:
        raise CoachError(
            f"The prompt {name} cannot be written ({fault}); mend prompts/{name}.jinja."
        ) from fault


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(shipped("prompts")),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text for a model, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shipped(name: str) -> Path:
    """A folder that comes with the coach (`knowledge`, `prompts`): beside the package in a
    checkout, inside it in an installed wheel."""
    inside = Path(__file__).parent / "_shipped" / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name
