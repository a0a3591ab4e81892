"""The page: tabs, one line on what is kept, and nothing that asks the network for anything."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coach.build import Coach
    from coach.settings import Settings

NAME = """<div id="name"><h1>Serendip</h1>
<p>A private coach for clinicians on social media. Out on purpose is as good an answer as coming aboard.</p></div>"""
REVIEW_AFTER_S = 6
MAX_WAITING = 200  # questions that wait for an answer; who comes after that is told to try again
KEPT = (
    "Nothing you write is sent anywhere, or stored unless you hold a draft or keep a rehearsal. "
    "Close this tab and it is gone."
)


def page(coach: Coach) -> Any:
    """The whole page as Gradio Blocks, not yet served."""
    import gradio as gr

    from coach.ui.library import LibraryTab
    from coach.ui.rehearse import RehearseTab
    from coach.ui.review import ReviewTab
    from coach.ui.settings import SettingsTab
    from coach.ui.talk import Stops, TalkTab

    stops = Stops()

    with gr.Blocks(title="Serendip", analytics_enabled=False) as blocks:
        gr.HTML(NAME)
        gr.HTML(f'<div id="kept">{KEPT}</div>')
        # Outside the tabs: what stands in a tab is not there yet when the page loads. A name, never words.
        rehearsal = gr.BrowserState(
            {"thread": "", "keep": False},
            storage_key="serendip-rehearsal",
            secret="serendip",  # noqa: S106 - a name, no secret
        )
        with gr.Tab("Talk"):
            TalkTab(coach, stops).draw()
        with gr.Tab("Rehearse"):
            RehearseTab(coach).draw(blocks, rehearsal)
        with gr.Tab("Should I post this?"):
            ReviewTab(coach).draw(blocks)
        with gr.Tab("Library"):
            LibraryTab(coach).draw()
        speaking = gr.HTML('<p class="quiet" id="speaking">Getting ready…</p>', render=False)
        with gr.Tab("Settings"):
            SettingsTab(coach).draw(speaking)
        speaking.render()
        blocks.load(
            lambda: _speaking(coach),
            None,
            speaking,
            show_progress="hidden",
            api_visibility="private",
        )
        blocks.unload(stops.page_left)
    return blocks.queue(default_concurrency_limit=8, max_size=MAX_WAITING, api_open=False)


def _speaking(coach: Coach) -> str:
    """Who speaks; waits until the coach is ready, so that the line is true."""
    from coach.ui.settings import speaking_html

    coach.ready()
    return speaking_html(coach)


def _get_ready(coach: Coach) -> None:
    coach.ready()
    # Loading Presidio takes the processor for seconds; a first question should not wait for it.
    time.sleep(REVIEW_AFTER_S)
    coach.ready_to_review()


def open_page(settings: Settings, coach: Coach, *, browser: bool = True, block: bool = True) -> Any:
    """Serve the page and return the running Blocks; what is heavy loads while it is already up.

    Raises:
        UsageError: the port is taken, or others could reach the page and no login is set.
    """
    from starlette.middleware import Middleware

    from coach.errors import UsageError
    from coach.ui.guard import Guard
    from coach.ui.theme import CSS, JS, theme

    if not settings.is_near and settings.login is None:
        raise UsageError(
            f"At {settings.host} others on the network could open the page, so it needs a login: set "
            "COACH_LOGIN=name:password and start again, or leave --host out to serve this computer alone."
        )
    blocks = page(coach)
    # The cards are needed to draw the page, the rest while the person is still reading it.
    threading.Thread(target=_get_ready, args=(coach,), daemon=True).start()
    try:
        blocks.launch(
            server_name=settings.host,
            server_port=settings.port or None,
            inbrowser=browser,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            footer_links=[],
            enable_monitoring=False,
            ssr_mode=False,
            run_history=False,
            auth=settings.login,
            app_kwargs={"middleware": [Middleware(Guard, hosts=settings.hosts)]},
            theme=theme(),
            css=CSS,
            js=JS,
        )
    except OSError as fault:
        raise UsageError(
            f"Port {settings.port} is taken: close what runs there, or give another with --port."
        ) from fault
    print(f"The coach is at http://{settings.host}:{settings.port}", flush=True)  # noqa: T201
    if block:
        blocks.block_thread()
    return blocks
