"""Serendip: a private coach for clinicians on social media, on the person's own computer.

A map, from the top:

    ui, cli          the page and the command line: show, ask, print
    build            settings in, a ready coach out
    practice/        what people do here, one flow a file: talk
    voice/           how an answer gets its words: guided, free, quoted
    library/         what the coach knows: cards, encoder, index, search
    model/           what it speaks with: llama.cpp, and how likely a message is
    care/            what it minds: crisis, injection, grounding; never a language model
    events, prompts, settings, errors, classifier    what everything stands on
"""

__version__ = "0.1.0"
