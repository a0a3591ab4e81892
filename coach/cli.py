"""The command line: parse, call, print. Results go to stdout, everything else to stderr.

Exit 0 on success, 2 on wrong usage or bad input, 1 on a fault.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from coach.errors import CoachError, KnowledgeError, UsageError
from coach.events import Reply, Said, Turn, cleaned
from coach.settings import keep, load_settings

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.practice.session import Setup

app = typer.Typer(
    name="coach",
    help="A private coach for clinicians on social media. Everything stays on this computer.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
knowledge_app = typer.Typer(help="The library of cards.", no_args_is_help=True)
model_app = typer.Typer(help="The language model.", no_args_is_help=True)
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(model_app, name="model")

out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

Batch = Annotated[
    str | None,
    typer.Option("--batch", metavar="IN.jsonl", help="One JSON object a line; - reads stdin."),
]
Knowledge = Annotated[
    Path | None,
    typer.Option(
        "--knowledge",
        metavar="DIR",
        help="Your own folder of Markdown or text files instead of the cards.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A model's name or a .gguf file; `none` answers from the cards alone.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Makes a run repeatable.")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="0 for the likeliest words.")]


def main() -> None:
    """Run the command line; a CoachError becomes one line and an exit status."""
    try:
        app(standalone_mode=True)
    except UsageError as fault:
        err.print(str(fault), markup=False, highlight=False)
        raise SystemExit(2) from fault
    except CoachError as fault:
        err.print(str(fault), markup=False, highlight=False)
        raise SystemExit(1) from fault
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@app.callback(invoke_without_command=True)
def _default(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        serve()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    model: Model = None,
    knowledge: Knowledge = None,
) -> None:
    """Open the page in a browser."""
    from coach.ui.app import open_page

    settings = load_settings(host=host, port=port, model=model, knowledge=knowledge)
    open_page(settings, _coach(model=model, knowledge=knowledge), browser=not no_browser)


@app.command()
def ask(
    text: Annotated[str | None, typer.Argument(help="What is on your mind.")] = None,
    batch: Batch = None,
    knowledge: Knowledge = None,
    model: Model = None,
    seed: Seed = None,
    temperature: Temperature = None,
) -> None:
    """One answer, with what it rests on."""
    coach = _coach(model=model, knowledge=knowledge, seed=seed, temperature=temperature)
    if batch is not None:
        _run_batch(batch, lambda line: _asked(coach, line, seed, temperature))
    else:
        _say(coach, [Turn("user", _needed(text))], seed)


@app.command()
def chat(knowledge: Knowledge = None, model: Model = None, seed: Seed = None) -> None:
    """A conversation in the terminal; an empty line ends it."""
    coach = _coach(model=model, knowledge=knowledge, seed=seed)
    turns: list[Turn] = []
    err.print("Nothing you type here is kept. An empty line ends it.", style="dim")
    while True:
        try:
            typed = input("> ")
        except EOFError:
            break
        if not typed.strip():
            break
        turns.append(Turn("user", typed))
        turns.append(Turn("assistant", _say(coach, turns, seed).reply))


@app.command()
def review(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="A file with the draft; - reads stdin.")
    ] = None,
    platform: Annotated[str, typer.Option(help="x, bluesky, mastodon, linkedin, facebook, …")] = "",
    batch: Batch = None,
    model: Model = None,
) -> None:
    """Should I post this? One draft, judged."""
    coach = _coach(model=model)
    if batch is not None:
        _run_batch(batch, lambda line: _reviewed(coach, line))
        return
    name = _needed(file)
    if name != "-" and not Path(name).is_file():
        raise UsageError(f"There is no file {name}; name one that holds the draft, or - for stdin.")
    draft = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8", errors="replace")
    found = coach.ready_to_review().review(draft.strip("\n"), platform=platform.lower())
    out.print(found.reply, markup=False, highlight=False)
    if found.rewrite:
        out.print(f"\n{found.rewrite}", markup=False, highlight=False)
    for finding in found.findings:
        text = " ".join(finding.text.split())
        err.print(f"“{text}”  {finding.why} ({finding.card})", style="dim", markup=False, highlight=False)


@app.command()
def rehearse(
    style: Annotated[str, typer.Option(help="gentle or structured")] = "gentle",
    difficulty: Annotated[str, typer.Option(help="kind, brisk, hard or drifts")] = "kind",
    field: Annotated[str, typer.Option(help="The mentor's field.")] = "",
    minutes: Annotated[int, typer.Option(help="How long the meeting is.", min=5, max=240)] = 30,
    sheet: Annotated[Path | None, typer.Option(help="Where to write the sheet (Markdown).")] = None,
    batch: Batch = None,
    model: Model = None,
    seed: Seed = None,
) -> None:
    """A first meeting with a mentor, rehearsed; it ends with a debrief and a sheet."""
    coach = _coach(model=model, seed=seed)
    if batch is not None:
        _run_batch(batch, lambda line: _rehearsed(coach, line, seed))
        return
    given = {"style": style, "difficulty": difficulty, "field": field, "minutes": minutes}
    _in_terminal(coach, _setup(given, seed), sheet)


@app.command()
def search(
    text: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    k: Annotated[int, typer.Option(help="How many cards.", min=1, max=50)] = 6,
    batch: Batch = None,
    knowledge: Knowledge = None,
) -> None:
    """The cards found, best first."""
    coach = _coach(knowledge=knowledge)
    if batch is not None:
        _run_batch(
            batch,
            lambda line: _found(coach, _field(line, "query"), _count(line, k)),
        )
        return
    found = _found(coach, _needed(text), k)
    for hit in found["hits"]:
        out.print(
            f"{hit['score']:.4f}  {hit['card']}  {hit['title']}",
            markup=False,
            highlight=False,
        )
    if not found["covered"]:
        err.print(
            "The library does not really cover this; these are merely the nearest.",
            style="dim",
        )


@app.command()
def care(
    text: Annotated[str | None, typer.Argument(help="Any text.")] = None,
    batch: Batch = None,
) -> None:
    """What the checks say of a text: crisis, injection, out of scope."""
    coach = _coach()
    if batch is not None:
        _run_batch(batch, lambda line: _cared(coach, _field(line, "text")))
    else:
        out.print_json(json.dumps(_cared(coach, _needed(text))))


@knowledge_app.command("list")
def knowledge_list(knowledge: Knowledge = None) -> None:
    """All cards."""
    for card in _coach(knowledge=knowledge).cards:
        out.print(f"{card.id}  {card.title}", markup=False, highlight=False)


@knowledge_app.command("show")
def knowledge_show(
    card_id: Annotated[str, typer.Argument(metavar="ID")], knowledge: Knowledge = None
) -> None:
    """One card in full."""
    cards = {card.id: card for card in _coach(knowledge=knowledge).cards}
    if card_id not in cards:
        raise UsageError(f"There is no card {card_id}; `coach knowledge list` names them all.")
    card = cards[card_id]
    out.print(Markdown(f"# {card.title}\n\n{card.text}\n\n*{card.source}*"))
    for situation in card.situations:
        out.print(f"- {situation.id}: {situation.choice}", markup=False, highlight=False)


@knowledge_app.command("rebuild")
def knowledge_rebuild(knowledge: Knowledge = None) -> None:
    """Build the index anew."""
    coach = _coach(knowledge=knowledge)
    coach.rebuild()
    out.print(f"{len(coach.cards)} cards, index rebuilt.", highlight=False)


@model_app.command("list")
def model_list() -> None:
    """The models the coach knows."""
    from coach.model.catalogue import CATALOGUE

    chosen = load_settings().model
    for entry in CATALOGUE:
        mark = "*" if entry.name == chosen else " "
        out.print(
            f"{mark} {entry.name}  {entry.about} ({entry.voice})",
            markup=False,
            highlight=False,
        )


@model_app.command("use")
def model_use(
    name: Annotated[str, typer.Argument(help="A name from the list, or a .gguf file.")],
) -> None:
    """Choose the model for every later start."""
    from coach.model.catalogue import choose

    chosen = choose(name)
    value = str(chosen.path) if name.endswith(".gguf") else chosen.name
    keep(model=value)
    speaks = f"the {chosen.voice} voice speaks" if chosen.voice else "its voice is chosen at its first start"
    out.print(f"{chosen.name} from now on; {speaks}.", highlight=False)


@model_app.command("info")
def model_info(model: Model = None) -> None:
    """What the chosen model is and which voice it gets."""
    coach = _coach(model=model)
    chosen = coach.model
    out.print(f"{chosen.name}: {chosen.about}", markup=False, highlight=False)
    out.print(f"voice: {coach.voice}", markup=False, highlight=False)
    if chosen.path is not None:
        out.print(
            f"file: {chosen.path} ({chosen.path.stat().st_size / 1e6:.0f} MB)",
            highlight=False,
        )


@app.command()
def doctor() -> None:
    """What is installed, found and working, and what to do about what is not."""
    from coach.doctor import examine

    table = Table("", "what", "found", box=None)
    well = True
    for check in examine(load_settings()):
        table.add_row("ok" if check.well else "!!", check.what, check.found)
        well = well and check.well
    out.print(table)
    if not well:
        raise SystemExit(1)


@app.command()
def wipe(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete everything the coach has stored about you."""
    from coach.doctor import wipe as delete

    settings = load_settings()
    if not yes and not typer.confirm("Delete everything the coach has stored about you?", err=True):
        raise SystemExit(1)
    gone = delete(settings)
    out.print(
        "\n".join(f"deleted {path}" for path in gone) or "Nothing was stored.",
        highlight=False,
    )


@app.command("export")
def export_kept(
    file: Annotated[Path, typer.Argument(help="Where to write the copy (JSON).")],
) -> None:
    """Copy everything the coach keeps about you into one file."""
    coach = _coach()
    text = coach.kept.copied(coach.settings)
    try:
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out_file:
            out_file.write(text)
    except OSError as fault:
        raise UsageError(f"{file} cannot be written ({fault.strerror}); name another place.") from fault
    err.print(f"Copied to {file}. Whoever has the file can read it.", markup=False, highlight=False)


@app.command("import")
def import_kept(
    file: Annotated[Path, typer.Argument(help="A copy made by `coach export` or on the page.")],
) -> None:
    """Bring back what a copy holds, beside what is kept already."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        raise UsageError(f"{file} cannot be read; name a copy made by `coach export`.") from fault
    copy = _coach().bring_back(text)
    keep(**copy.settings.model_dump(exclude_defaults=True))
    found = f"{len(copy.held)} held drafts, {len(copy.rehearsals)} rehearsals, {len(copy.earlier)} figures"
    out.print(f"Brought back: {found}.", highlight=False)


def _coach(**given: Any) -> Coach:
    from coach.build import Coach

    shown: list[float] = [0.0]

    def progress(what: str, share: float) -> None:
        if share in (0.0, 1.0) or time.monotonic() - shown[0] > 1:
            shown[0] = time.monotonic()
            err.print(
                f"{what} {share:.0%}" if 0 < share < 1 else what,
                style="dim",
                highlight=False,
            )

    return Coach(load_settings(**given), progress)


def _say(coach: Coach, turns: list[Turn], seed: int | None) -> Reply:
    """Print one reply as it comes, then its sources."""
    reply = None
    talk = coach.ready()
    if coach.model_fault:
        err.print(coach.model_fault, style="dim", markup=False, highlight=False)
    for event in talk.reply(turns, seed=seed):
        if isinstance(event, Said):
            out.print(event.text, end="", markup=False, highlight=False)
        else:
            reply = event
    assert reply is not None  # noqa: S101 - a flow always ends with a reply
    out.print()
    for number, choice in enumerate(reply.choices, 1):
        out.print(f"  {number}. {choice.text}", markup=False, highlight=False)
    for citation in reply.citations:
        err.print(
            f"[{citation.n}] {citation.title} ({citation.card})",
            style="dim",
            markup=False,
            highlight=False,
        )
    return reply


def _asked(coach: Coach, line: dict[str, Any], seed: int | None, temperature: float | None) -> dict[str, Any]:
    if "messages" in line:
        try:
            turns = [Turn(m["role"], m["content"]) for m in line["messages"]]
        except (TypeError, KeyError) as fault:
            raise UsageError("`messages` must be a list of {role, content}.") from fault
        if not turns or turns[-1].role != "user" or any(t.role not in ("user", "assistant") for t in turns):
            raise UsageError("`messages` must end with a user's message; roles are user and assistant.")
        if not all(isinstance(t.content, str) for t in turns):
            raise UsageError("`content` must be text; give it as a string.")
    else:
        turns = [Turn("user", _field(line, "text"))]
    events = coach.ready().reply(turns, seed=line.get("seed", seed), temperature=temperature)
    last = list(events)[-1]
    return dataclasses.asdict(last)


def _reviewed(coach: Coach, line: dict[str, Any]) -> dict[str, Any]:
    from coach.care.judgement import stated_facts

    given = line.get("context") or {}
    if isinstance(given, str):
        given = {"note": given}
    platform = line.get("platform") or ""
    if not isinstance(given, dict) or not isinstance(platform, str):
        raise UsageError(
            "`context` must be an object of texts and `platform` a text; leave out what is not known."
        )
    facts = stated_facts({str(name): str(value) for name, value in given.items() if value not in (None, "")})
    found = coach.ready_to_review().review(_field(line, "draft"), platform=platform.lower(), facts=facts)
    return dataclasses.asdict(found)


def _setup(given: dict[str, Any], seed: int | None) -> Setup:
    from pydantic import ValidationError

    from coach.practice.session import Setup

    try:
        return Setup(**given, seed=secrets.randbelow(1_000_000) if seed is None else seed)
    except (ValidationError, TypeError) as fault:
        raise UsageError(
            "Style is gentle or structured, difficulty kind, brisk, hard or drifts; choose one of them."
        ) from fault


def _in_terminal(coach: Coach, setup: Setup, sheet: Path | None) -> None:
    """The meeting in the terminal; an empty line ends it, and the debrief follows."""
    flow, thread = coach.ready_to_rehearse(keep=False), "terminal"
    flow.begin(thread, setup)
    err.print("Nothing you type here is kept. An empty line ends the meeting.", style="dim")
    said = flow.step(thread, "meet").said
    while True:
        for turn in said:
            out.print(turn.text, markup=False, highlight=False)
        try:
            typed = input("> ")
        except EOFError:
            break
        if not typed.strip():
            break
        said = flow.step(thread, "answer", typed).said
    session = flow.step(thread, "end").session
    looked, text = flow.look_back(session)
    lines = [looked.opening, *looked.notes.values(), *(s.text for s in looked.strengths)]
    if looked.try_next is not None:
        lines += [looked.try_next.text, f"Try saying: “{looked.instead}”"]
    for line in (*lines, looked.closing):
        out.print(f"\n{line}", markup=False, highlight=False)
    if sheet is not None:
        try:
            sheet.write_text(text, encoding="utf-8")
        except OSError as fault:
            raise UsageError(
                f"{sheet} cannot be written ({fault.strerror}); choose another place."
            ) from fault
    else:
        out.print(f"\n{text}", markup=False, highlight=False)


def _rehearsed(coach: Coach, line: dict[str, Any], seed: int | None) -> dict[str, Any]:
    answers, setup = line.get("answers"), line.get("setup") or {}
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        raise UsageError("`answers` must be a list of texts, what the mentee says turn by turn.")
    if not isinstance(setup, dict):
        raise UsageError(
            "`setup` must be an object of texts (programme, mentor, goal); leave out what is not known."
        )
    started = time.perf_counter()
    known = {name: str(setup[name]) for name in ("programme", "mentor", "goal", "field") if setup.get(name)}
    manner = {"style": line.get("style") or "gentle", "difficulty": line.get("difficulty") or "kind"}
    flow, thread = coach.ready_to_rehearse(keep=False), f"batch-{time.monotonic_ns()}"
    flow.begin(thread, _setup({**known, **manner}, line.get("seed", 0 if seed is None else seed)))
    flow.step(thread, "meet")
    steps = [flow.step(thread, "answer", answer) for answer in answers]
    session = flow.step(thread, "end").session
    looked, sheet = flow.look_back(session)
    return {
        "turns": [{"role": t.role, "text": t.text} for t in session.turns],
        "debrief": {
            "covered": looked.covered, "missed": looked.missed,
            "strengths": [s.model_dump() for s in looked.strengths],
            "try_next": looked.try_next and {**looked.try_next.model_dump(), "instead": looked.instead},
            "quotes": looked.quotes, "spoke": looked.spoke, "asked": looked.asked,
        },
        "sheet": sheet,
        "route": "crisis" if any(step.route == "crisis" for step in steps) else "answer",
        "timing": {
            "total_ms": (time.perf_counter() - started) * 1000,
            "turn_ms": [step.total_ms for step in steps],
        },
    }  # fmt: skip


def _found(coach: Coach, query: str, k: int) -> dict[str, Any]:
    started = time.perf_counter()
    found = coach.search.search(cleaned(query), k=k)
    return {
        "hits": [
            {
                "card": p.card, "title": p.title, "score": round(p.score, 5),
                "similarity": round(p.similarity, 4),
                "start": p.start, "end": p.end, "source": p.source,
            }
            for p in found.passages
        ],
        "covered": found.covered,
        "confidence": round(found.confidence, 4),
        "timing": {"total_ms": (time.perf_counter() - started) * 1000},
    }  # fmt: skip


def _cared(coach: Coach, text: str) -> dict[str, Any]:
    seen = coach.gate.examine(text, coach.both.encode([cleaned(text)])[0])
    return {
        "crisis": seen.crisis,
        "injection": seen.injection,
        "scope": seen.scope,
        "kind": seen.kind,
        "signals": [dataclasses.asdict(signal) for signal in seen.signals],
    }


def _needed(text: str | None) -> str:
    if text is None:
        raise UsageError("Say what it is about, or give --batch; `coach --help` shows how.")
    return text


def _field(line: dict[str, Any], name: str) -> str:
    value = line.get(name)
    if not isinstance(value, str):
        raise UsageError(f"`{name}` is missing or no text; give it as a string.")
    return value


def _count(line: dict[str, Any], otherwise: int) -> int:
    k = line.get("k", otherwise)
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= 50:
        raise UsageError("`k` must be a whole number from 1 to 50.")
    return k


def _run_batch(source: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer every line in order; a bad line answers with its error and the exit status is 2."""
    bad = False
    for number, raw in enumerate(_lines(source), 1):
        line: dict[str, Any] = {}
        try:
            line = _parsed(raw, number)
            result = answer(line)
        except (UsageError, KnowledgeError) as fault:
            bad = True
            result = {"error": {"type": type(fault).__name__, "message": str(fault)}}
        sys.stdout.write(json.dumps({"id": line.get("id"), **result}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    if bad:
        raise SystemExit(2)


def _parsed(raw: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(raw)
    except json.JSONDecodeError as fault:
        raise UsageError(f"Line {number} is not JSON ({fault.msg}); write one JSON object a line.") from fault
    if not isinstance(line, dict):
        raise UsageError(f"Line {number} is not a JSON object; write one a line.")
    return line


def _lines(source: str) -> Iterator[str]:
    if source == "-":
        yield from (line for line in sys.stdin if line.strip())
        return
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"There is no file {source}; name one that holds JSON lines, or - for stdin.")
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line for line in file if line.strip())
