"""How likely is this message after those examples? The small model's real work.

For each candidate the model has read a few example messages; its score for a new
message is the mean log-probability per token after them, minus that of the message
alone. What was read is kept, so that a new message costs only its own tokens, for all
candidates in one batch. It shares the engine's weights and has a context of its own.
"""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coach.errors import ModelError
from coach.model.local import Engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREFIX_TOKENS, MESSAGE_TOKENS = 192, 64  # together a multiple of 256, to which llama.cpp rounds up
KEPT = 64  # candidates whose examples stay in memory: 64 x 256 tokens x 22.5 KB = 370 MB at most
BATCH = 2048


class Likelihood:
    """Scores messages against candidates' examples with a language model.

    Args:
        engine: whose weights are used.
        examples: candidate id -> the text the model reads before the message.
    """

    def __init__(self, engine: Engine, examples: Mapping[str, str], threads: int | None = None) -> None:
        import llama_cpp

        self._cpp, self._engine = llama_cpp, engine
        self._prefixes = {
            name: engine.tokens(text)[-PREFIX_TOKENS:] for name, text in {**examples, "": "\n"}.items()
        }
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, int] = OrderedDict()
        params = llama_cpp.llama_context_default_params()
        params.n_seq_max = min(KEPT, len(self._prefixes))
        params.n_ctx = params.n_seq_max * (PREFIX_TOKENS + MESSAGE_TOKENS)
        params.n_batch = params.n_ubatch = BATCH
        params.kv_unified = False
        if threads:
            params.n_threads = params.n_threads_batch = threads
        self._slots = int(params.n_seq_max)
        self._context = llama_cpp.llama_init_from_model(engine.weights, params)
        if not self._context:
            raise ModelError("Too little memory to rank with the language model; close something.")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)

    def scores(self, message: str, candidates: Sequence[str]) -> NDArray[np.float64]:
        """Log-probability per token of `message` after each candidate, minus alone.

        Returns an array of shape (len(candidates),), in nats per token.
        """
        tokens = self._engine.tokens(" " + " ".join(message.split()) + "\n")[:MESSAGE_TOKENS]
        names = ["", *candidates]
        with self._lock:
            means: list[float] = []
            # As many candidates as fit one batch and the kept slots.
            size = max(1, min(self._slots, BATCH // (len(tokens) + 1)))
            for start in range(0, len(names), size):
                group = names[start : start + size]
                self._read(group)
                means.extend(self._after(group, tokens))
        return np.asarray(means[1:], dtype=np.float64) - means[0]

    def warm(self, candidates: Sequence[str]) -> None:
        """Read these candidates' examples now, so that later scores only pay for the message."""
        with self._lock:
            self._read(list(candidates)[: self._slots])

    def _read(self, names: Sequence[str]) -> None:
        """Bring the examples of `names` into memory, dropping those unused for longest."""
        for name in names:
            if name in self._kept:
                self._kept.move_to_end(name)
        missing = [name for name in names if name not in self._kept]
        rows: list[tuple[int, int, int, bool]] = []
        for name in missing:
            if len(self._kept) < self._slots:
                slot = len(self._kept)
            else:
                _, slot = self._kept.popitem(last=False)
            self._cpp.llama_memory_seq_rm(self._memory, slot, -1, -1)
            self._kept[name] = slot
            prefix = self._prefixes[name][:-1]  # the last one is read with the message, for its logits
            if len(rows) + len(prefix) > BATCH:
                self._decode(rows)
                rows = []
            rows.extend((token, position, slot, False) for position, token in enumerate(prefix))
        if rows:
            self._decode(rows)

    def _after(self, names: Sequence[str], tokens: Sequence[int]) -> list[float]:
        rows: list[tuple[int, int, int, bool]] = []
        for name in names:
            prefix, slot = self._prefixes[name], self._kept[name]
            start = len(prefix) - 1
            inputs = [prefix[-1], *tokens[:-1]]
            rows.extend((token, start + i, slot, True) for i, token in enumerate(inputs))
        self._decode(rows)
        means = []
        targets = np.asarray(tokens)
        width = self._engine.vocabulary
        for number, name in enumerate(names):
            pointer = self._cpp.llama_get_logits_ith(self._context, number * len(tokens))
            logits = np.ctypeslib.as_array(pointer, shape=(len(tokens), width))
            peak = logits.max(axis=1)
            total = peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))
            means.append(float((logits[np.arange(len(tokens)), targets] - total).mean()))
            self._cpp.llama_memory_seq_rm(self._memory, self._kept[name], len(self._prefixes[name]) - 1, -1)
        return means

    def _decode(self, rows: Sequence[tuple[int, int, int, bool]]) -> None:
        batch: Any = self._batch
        batch.n_tokens = len(rows)
        for i, (token, position, slot, wanted) in enumerate(rows):
            batch.token[i], batch.pos[i] = token, position
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, slot
            batch.logits[i] = wanted
        code = self._cpp.llama_decode(self._context, batch)
        if code:
            self._kept.clear()
            self._cpp.llama_memory_clear(self._memory, True)
            raise ModelError(f"The language model could not rank (llama.cpp says {code}); try again.")

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            self._cpp.llama_batch_free(self._batch)
            self._cpp.llama_free(self._context)
            self._context = ctypes.c_void_p(0)
