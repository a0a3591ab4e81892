"""How fast is it on this computer? Ratios within one run; medians of several.

make bench
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from coach.build import Coach
from coach.events import Turn
from coach.model.catalogue import choose
from coach.model.local import Engine, LocalChat
from coach.practice.session import Setup
from coach.prompts import render
from coach.settings import load_settings

ROUNDS = 5
TOKENS = 128
QUESTION = "I feel like an impostor on MedTwitter, everybody there is so much cleverer than me"


def generation_ratio(engine: Engine) -> float:
    """Tokens a second through our chat model over llama-cpp-python's own eval and sample."""
    chat = LocalChat(engine=engine, max_tokens=TOKENS, temperature=0.0, seed=1)
    messages: list[BaseMessage] = [HumanMessage("Tell me a long story about a lighthouse and its keeper.")]
    prompt = engine.prompt_tokens(messages)
    llama = engine._llama

    def raw() -> float:
        llama.reset()
        llama.eval(prompt)
        started = time.perf_counter()
        for _ in range(TOKENS):
            llama.eval([llama.sample(temp=0.0, repeat_penalty=1.1)])
        return TOKENS / (time.perf_counter() - started)

    def ours() -> float:
        llama.reset()
        first, last = 0.0, 0.0
        counts: dict[str, float] = {}
        for chunk in chat.stream(messages):
            last = time.perf_counter()
            first = first or last
            counts = chunk.response_metadata.get("counts", counts)
        return (counts["completion_tokens"] - 1) / (last - first)

    raw(), ours()
    return statistics.median(ours() / raw() for _ in range(ROUNDS))


def follow_up_ratio(engine: Engine) -> float:
    """Time to the first token of a follow-up over that of the first turn, prompts as in the free voice."""
    chat = LocalChat(engine=engine, max_tokens=8, temperature=0.0, seed=1)
    system = SystemMessage(render("coach"))
    notes = "Nobody has to be an expert in order to post. Honesty about where one stands is enough. " * 12

    def first_ms(messages: list[BaseMessage]) -> float:
        last = list(chat.stream(messages))[-2]
        return float(last.response_metadata["counts"]["first_token_ms"])

    ratios = []
    for number in range(ROUNDS):
        # The number comes first, or one round would profit from the last.
        asked = HumanMessage(f"{number}. Notes:\n{notes}\n\nMessage: {QUESTION}")
        one = first_ms([system, asked])
        two = first_ms([system, asked, AIMessage("That stings."), HumanMessage("and with my boss?")])
        ratios.append(two / one)
    return statistics.median(ratios)


def starting() -> tuple[float, float, float]:
    """Seconds to a served page and to the first sentence of a question asked at once; peak memory in MB."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "coach", "serve", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _until(lambda: _answers(f"http://127.0.0.1:{port}/"), 60)
            served = time.perf_counter() - started
            said = started_to_said(port, started)
            status = Path(f"/proc/{process.pid}/status")
            text = status.read_text() if status.exists() else ""
            peak = re.search(r"VmHWM:\s+(\d+)", text)
        finally:
            process.terminate()
    return served, said, int(peak[1]) / 1024 if peak else float("nan")


def started_to_said(port: int, started: float) -> float:
    """Ask in the page, with a browser, as soon as it is served."""
    from playwright.sync_api import sync_playwright

    from tests.browser import chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.FLAGS))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#box textarea")
        page.fill("#box textarea", QUESTION)
        page.keyboard.press("Enter")
        page.wait_for_selector("#chat a.cite", timeout=60_000)
        said = time.perf_counter() - started
        browser.close()
    return said


def turns() -> tuple[float, float]:
    """Milliseconds from question to first sentence in a running coach: first time, and afterwards."""
    coach = Coach(load_settings())
    talk = coach.ready()
    questions = (QUESTION, "my post got four likes", "i scroll until two every night", "a troll keeps at me")
    times = []
    for _ in range(ROUNDS):
        for question in questions:
            started = time.perf_counter()
            next(iter(talk.reply([Turn("user", question)])))
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[: len(questions)]), statistics.median(times[len(questions) :])


def reviews() -> tuple[float, float, float]:
    """Milliseconds to judge a draft of 280 characters once warm, drafts a minute, and memory added in MB."""
    draft = (
        "Had one last night that I keep turning over: 3yo, hearing-aid battery, grandma's kitchen. "
        "Truro. She is fine. A battery stuck in a small child can burn through in no time. Ask grandparents "
        "where theirs are kept, and bin the old ones. Then hug somebody small."
    )
    coach = Coach(load_settings(model="none"))
    coach.ready()
    before = _resident_mb()
    flow = coach.ready_to_review()
    flow.review(draft)
    added = _resident_mb() - before
    harmless = "12 years qualified and I still say 'you too' when patients tell me to enjoy my lunch. " * 3
    times = []
    for number in range(60):
        started = time.perf_counter()
        flow.review(f"{draft if number % 2 else harmless} {number}"[-280:])
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), 60_000 / statistics.fmean(times), added


def rehearsals() -> tuple[float, float]:
    """Milliseconds a mentor turn in a session of 30, and how much dearer the last ten are than the first."""
    flow = Coach(load_settings(model="none")).rehearsal
    flow.begin("bench", Setup())
    flow.step("bench", "meet")
    answers = [
        f"In year {n} I moved to another ward, because I wanted to learn how they do it there."
        for n in range(30)
    ]
    times = [flow.step("bench", "answer", answer).total_ms for answer in answers]
    return statistics.median(times), statistics.median(times[-10:]) / statistics.median(times[:10])


def _resident_mb() -> float:
    status = Path("/proc/self/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def _until(ready: Callable[[], bool], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not ready():
        if time.perf_counter() > end:
            raise TimeoutError("the page did not come up")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 - our own server
            return bool(response.status == 200)
    except OSError:
        return False


def main() -> None:
    """Print every figure, one a line."""
    path = choose("smollm2-135m").path
    assert path is not None  # noqa: S101
    engine = Engine(path)
    print(f"cores {os.cpu_count()}")
    print(f"generation, ours over raw eval loop     {generation_ratio(engine):.3f}  (goal 0.95 or more)")
    print(f"first token, follow-up over first turn  {follow_up_ratio(engine):.3f}")
    first, later = turns()
    print(f"first sentence, first time a situation is met   {first:.0f} ms; afterwards {later:.0f} ms")
    each, per_minute, added = reviews()
    print(f"a draft of 280 characters judged        {each:.0f} ms  (goal 150)")
    print(f"such drafts a minute                    {per_minute:.0f}  (goal 500)")
    print(f"memory that Review adds                 {added:.0f} MB")
    turn_ms, dearer = rehearsals()
    print(f"a mentor turn, of 30                    {turn_ms:.0f} ms; last ten over first ten {dearer:.2f}")
    runs = [starting() for _ in range(3)]
    served, said, peak = (statistics.median(run[i] for run in runs) for i in range(3))
    print(f"from `coach` to a served page           {served:.1f} s  (goal 4)")
    print(f"from `coach` to the first sentence      {said:.1f} s  (goal 10; browser start included)")
    print(f"peak memory of the process              {peak:.0f} MB")


if __name__ == "__main__":
    main()
