"""The errors the coach raises, drawn as a tree.

CoachError                  anything a person can do something about
├── UsageError              wrong words on the command line, or bad input (exit 2)
├── KnowledgeError          a card or a situation file does not hold together
├── IndexFault              the index on disk cannot be built or read
├── ModelError              the language model is missing, damaged or too big
└── Stopped                 the person pressed Stop; the work has ended

Every message is one plain sentence that says what to do next.
"""

from __future__ import annotations


class CoachError(Exception):
    """A fault with a plain message; the command line prints it as one line and exits 1."""


class UsageError(CoachError):
    """Wrong usage or bad input; the command line exits 2."""


class KnowledgeError(CoachError):
    """A card or a situation file does not hold together; names file, line and what to mend."""


class IndexFault(CoachError):
    """The index on disk cannot be built or read."""


class ModelError(CoachError):
    """The language model is missing, damaged, or does not fit into memory."""


class Stopped(CoachError):
    """The person pressed Stop, or closed the page."""
