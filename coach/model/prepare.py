"""Makes a model quicker to read with, once, and keeps the result in the cache.

The packaged weights are Q4_1, for which llama.cpp has no repacked kernels; the same
weights as Q4_0 read prompts about twice as fast here. Ranking hardly feels the rounding
(eval/LOG.md); a model that writes keeps the file it came with.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import uuid
from pathlib import Path

from coach.errors import ModelError


def quick_copy(path: Path, cache: Path) -> Path:
    """The Q4_0 copy of a small model in `cache`, made now if it is not there yet.

    Falls back to `path` itself where the copy cannot be made: slower, not worse.
    """
    place = cache / "models" / f"{path.stem}-{path.stat().st_size}.q4_0.gguf"
    if place.exists():
        return place
    beside = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _requantise(path, beside)
        beside.replace(place)
    except (OSError, ModelError):
        with contextlib.suppress(OSError):
            beside.unlink()
        return path
    return place


def _requantise(source: Path, target: Path) -> None:
    import llama_cpp

    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0
    params.allow_requantize = True
    params.nthread = os.cpu_count() or 1
    code = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    if code:
        raise ModelError(
            f"The quick copy of {source.name} could not be made (llama.cpp says {code}); try again."
        )
