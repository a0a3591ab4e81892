"""How the page looks: system fonts, one warm colour, light and dark, down to phone width."""

from __future__ import annotations

from typing import Any

SANS = [
    "ui-sans-serif",
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "sans-serif",
]
MONO = ["ui-monospace", "Consolas", "monospace"]

CSS = """
.gradio-container { max-width: 1080px !important; margin: 0 auto !important; }
#name h1 { font-size: 1.5rem; font-weight: 600; margin: .6rem 0 0; letter-spacing: -.01em; }
#name p { margin: .1rem 0 .4rem; opacity: .8; }
#kept { font-size: .9rem; opacity: .85; margin-top: -.6rem; }
#chat { min-height: 320px; border: 1px solid var(--border-color-primary) !important; }
#chat .message { line-height: 1.55; font-size: 1.02rem; }
#lines { border-left: 3px solid var(--color-accent); padding: .1rem .9rem; margin-bottom: .8rem; }
#lines ul { list-style: none; padding: 0; } #lines li { margin: .4rem 0; line-height: 1.5; font-size: .92rem; }
#sources h2, #lines h2, .shelf h2 { font-size: 1rem; font-weight: 600; margin: .2rem 0 .6rem; }
.card { border: 1px solid var(--border-color-primary); border-radius: 10px; margin: 0 0 .5rem;
        background: var(--background-fill-primary); }
.card summary { cursor: pointer; padding: .6rem .8rem; font-weight: 500; line-height: 1.35; }
.card summary:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; border-radius: 10px; }
.card .body { padding: 0 .8rem .7rem; line-height: 1.55; }
.card .from { font-size: .85rem; opacity: .75; margin-top: .5rem; }
.card[open] { border-color: var(--color-accent); }
a.cite { text-decoration: none; font-size: .85em; vertical-align: .15em; padding: 0 .1em; }
.quiet { opacity: .75; font-size: .95rem; line-height: 1.5; }
.shelf .theme { margin: 1.1rem 0 .4rem; font-size: .95rem; font-weight: 600; opacity: .8; }
.verdict { font-size: 1.25rem; font-weight: 600; margin: .2rem 0 .4rem; padding: .35rem .7rem; border-radius: 10px;
           border-left: 6px solid; display: inline-block; background: var(--background-fill-secondary); }
.verdict.post { border-color: #0f766e; } .verdict.edit { border-color: #b45309; }
.verdict.wait { border-color: #7c3aed; } .verdict.keep { border-color: #b91c1c; }
#said { line-height: 1.6; font-size: 1.02rem; }
#judged h3, #difference h3, #held h3 { font-size: .95rem; font-weight: 600; margin: .9rem 0 .3rem; }
#marked, .difference, .beside p { line-height: 1.8; overflow-wrap: anywhere; }
mark { background: #fde68a; color: #1c1917; border-radius: 4px; padding: 0 .15em; position: relative; cursor: help; }
mark.anger, mark.kindness { background: #fecaca; } mark.claims { background: #ddd6fe; } mark.purpose { background: #d6d3d1; }
mark .why { display: none; position: absolute; left: 0; top: 1.7em; z-index: 5; min-width: 13rem; padding: .4rem .6rem;
            font-size: .85rem; line-height: 1.4; border-radius: 8px; background: #1c1917; color: #fafaf9; }
mark:hover .why, mark:focus .why { display: block; }
mark:focus-visible { outline: 2px solid var(--color-accent); }
.bar { display: grid; grid-template-columns: 1fr auto; gap: .1rem .6rem; font-size: .9rem; margin: .35rem 0; }
.bar [role=meter] { grid-column: 1 / 3; height: 7px; border-radius: 4px; background: var(--border-color-primary); }
.bar .fill { height: 7px; border-radius: 4px; background: var(--color-accent); }
.bar .word { opacity: .75; }
.steps { display: flex; gap: .5rem; list-style: none; margin: .2rem 0 .4rem; padding: 0; font-size: .95rem; }
.steps li { margin: 0; line-height: 1.6; padding: .2rem .8rem; border-radius: 999px; border: 1px solid var(--border-color-primary); opacity: .75; }
.steps li.now { border-color: var(--color-accent); opacity: 1; font-weight: 600; }
#side h2, #debrief h2 { font-size: 1.05rem; font-weight: 600; margin: .3rem 0 .5rem; }
#side h3, #debrief h3 { font-size: .95rem; font-weight: 600; margin: .9rem 0 .3rem; }
#debrief p, #debrief li { line-height: 1.6; } ul.covered { list-style: none; padding: 0; }
ul.covered li { padding-left: 1.4rem; position: relative; margin: .3rem 0; }
ul.covered li::before { position: absolute; left: 0; } ul.covered li.yes::before { content: "✓"; color: #0f766e; }
ul.covered li.no::before { content: "○"; }
svg.wheel { width: 100%; max-width: 26rem; height: 14px; margin: .3rem 0; }
svg.wheel .yes { fill: var(--color-accent); } svg.wheel .no { fill: var(--border-color-primary); }
del { background: #fecaca66; } ins { background: #99f6e466; text-decoration: none; border-bottom: 2px solid #0f766e; }
.count.over { color: #b91c1c; opacity: 1; font-weight: 600; }
.beside { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
@media (max-width: 640px) {
  .beside { grid-template-columns: 1fr; }
  .tab-container button { padding: .35rem .25rem !important; font-size: .74rem !important; letter-spacing: -.02em; }
  .tabs, .tab-wrapper { min-width: 0; max-width: calc(100vw - 1rem); }
  .gradio-container { padding: .4rem !important; }
  #talk-row { flex-direction: column; }
  #name h1 { font-size: 1.25rem; }
}
"""

# A citation opens its card beside the answer instead of leaving the page; the last
# message is brought into view when the keyboard sends one.
JS = """
() => {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#card-"]');
    if (!link) return;
    event.preventDefault();
    const card = document.getElementById(link.getAttribute('href').slice(1));
    if (!card) return;
    card.open = true;
    card.scrollIntoView({behavior: 'smooth', block: 'nearest'});
    card.querySelector('summary').focus();
  }, true);
}
"""


def private() -> Any:
    """Attributes of a field for a person's own words: the browser neither remembers them for next time
    nor has them spelt by somebody else's server, which some browsers do."""
    import gradio as gr

    return gr.InputHTMLAttributes(autocomplete="off", spellcheck=False)


def theme() -> Any:
    """The Gradio theme. No web font is asked for."""
    import gradio as gr

    return gr.themes.Soft(
        primary_hue=gr.themes.colors.teal,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        font=SANS,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_lg,
    )
