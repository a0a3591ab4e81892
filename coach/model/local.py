"""The language model on this computer: llama.cpp behind LangChain's chat interface.

One engine holds one model; callers take turns. The evaluated prefix stays in memory
between turns, so a follow-up pays only for what is new. Stop reaches llama.cpp while
it reads the prompt (its abort callback) and between two tokens while it writes.
"""

from __future__ import annotations

import codecs
import ctypes
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from coach.errors import ModelError, Stopped
from coach.model.queue import FairQueue

GGUF_MAGIC = b"GGUF"
ROLES = {"human": "user", "ai": "assistant", "system": "system"}
# A model that begins the person's next line has stopped being the coach.
PERSONS_TURN = (
    "<|im_start|>",
    "<|im_end|>",
    "<|user|>",
    "\nUser:",
    "\nHuman:",
    "\nuser:",
    "\nMe:",
)


@dataclass(frozen=True)
class Counts:
    """What one generation cost: tokens read, of those already in memory, and written."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_ms: float


class Engine:
    """One GGUF model in memory, one caller at a time."""

    def __init__(self, path: Path, *, context_tokens: int = 4096, threads: int | None = None) -> None:
        check_model_file(path)
        import llama_cpp

        self._cpp = llama_cpp
        self.path = path
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=context_tokens, n_threads=threads, n_threads_batch=threads,
                n_batch=512, verbose=False, logits_all=False,
            )  # fmt: skip
        except (ValueError, RuntimeError, MemoryError, OSError) as fault:
            raise ModelError(
                f"The model {path.name} does not load ({fault}). It may be damaged or too big for "
                "this computer: choose another with `coach model use`, or go on with `--model none`."
            ) from fault
        # llama-cpp-python reads llama.cpp's levels one off and would print its warnings.
        logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)
        self._format = _chat_format(self._llama)
        self._queue = FairQueue()
        self._cancel: threading.Event | None = None  # of whoever has the turn
        self._abort_callback = llama_cpp.ggml_abort_callback(
            lambda _data: self._cancel is not None and self._cancel.is_set()
        )

    @property
    def context_tokens(self) -> int:
        return int(self._llama.n_ctx())

    @property
    def vocabulary(self) -> int:
        """How many tokens the model knows."""
        return int(self._llama.n_vocab())

    @property
    def waiting(self) -> int:
        """How many callers hold or wait for a turn."""
        return len(self._queue)

    @property
    def weights(self) -> Any:
        """llama.cpp's pointer to the weights, for a second context on the same memory."""
        return self._llama.model

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=special))

    def prompt_tokens(self, messages: Sequence[BaseMessage]) -> list[int]:
        """The tokens of a whole prompt, laid out by the model's own chat template."""
        turns = [{"role": ROLES.get(m.type, "user"), "content": str(m.content)} for m in messages]
        return self.tokens(self._format(messages=turns).prompt, special=True)

    def stream(
        self,
        prompt: Sequence[int],
        *,
        max_tokens: int,
        temperature: float = 0.3,
        seed: int | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[tuple[str, Counts]]:
        """Generate text piece by piece, each with the counts so far.

        Raises:
            Stopped: `cancel` was set; the engine is free again within 100 ms.
            ModelError: the prompt does not fit, or llama.cpp failed.
        """
        if len(prompt) + max_tokens > self.context_tokens:
            raise ModelError("That is too long for this model; shorten the message or clear the chat.")
        with self._queue.turn(cancel):
            self._cancel = cancel
            yield from self._generate(prompt, max_tokens, temperature, seed, cancel)

    def _generate(
        self,
        prompt: Sequence[int],
        max_tokens: int,
        temperature: float,
        seed: int | None,
        cancel: threading.Event | None,
    ) -> Iterator[tuple[str, Counts]]:
        started = time.perf_counter()
        llama, cached, first_ms = self._llama, self._shared_prefix(prompt), 0.0
        llama.set_seed(0 if seed is None and temperature == 0 else _seed(seed))
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._watch_prompt(True)
        try:
            for count, token in enumerate(llama.generate(prompt, temp=temperature, repeat_penalty=1.1), 1):
                if count == 1:
                    first_ms = (time.perf_counter() - started) * 1000
                    self._watch_prompt(False)
                if cancel is not None and cancel.is_set():
                    raise Stopped("Stopped.")
                if llama_is_end(llama, token):
                    return
                piece = utf8.decode(llama.detokenize([token], special=True))
                yield piece, Counts(len(prompt), cached, count, first_ms)
                if count >= max_tokens:
                    return
        except RuntimeError as fault:
            llama.reset()
            if cancel is not None and cancel.is_set():
                raise Stopped("Stopped.") from fault
            raise ModelError(f"The model stopped working ({fault}); try again.") from fault
        finally:
            self._watch_prompt(False)

    def _shared_prefix(self, prompt: Sequence[int]) -> int:
        held = self._llama.input_ids[: self._llama.n_tokens]
        same = 0
        for a, b in zip(held, prompt, strict=False):
            if a != b:
                break
            same += 1
        return same

    def _watch_prompt(self, on: bool) -> None:
        """Let llama.cpp ask for an abort while it reads the prompt, and only then.

        It asks at every node of the graph, about a thousand times a token: free while a
        prompt of hundreds of tokens is read in one go, a tenth of the speed while writing.
        """
        callback = self._abort_callback if on else self._cpp.ggml_abort_callback(0)
        self._cpp.llama_set_abort_callback(self._llama.ctx, callback, ctypes.c_void_p(0))


class LocalChat(BaseChatModel):
    """LangChain's chat model over an `Engine`.

    Pass `cancel=threading.Event()` to `stream` or `invoke` to be able to stop it. The
    last chunk's `response_metadata` holds the `Counts`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Any
    max_tokens: int = 220
    temperature: float = 0.3
    seed: int | None = None

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        engine: Engine = self.engine
        prompt = engine.prompt_tokens(trimmed(engine, messages, self.max_tokens))
        pieces = engine.stream(
            prompt,
            max_tokens=self.max_tokens,
            temperature=kwargs.get("temperature", self.temperature),
            seed=kwargs.get("seed", self.seed),
            cancel=kwargs.get("cancel"),
        )
        counts = Counts(len(prompt), 0, 0, 0.0)
        for text, so_far in until(pieces, (*PERSONS_TURN, *(stop or ()))):
            counts = so_far
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
            if run_manager is not None:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk
        last = AIMessageChunk(content="", response_metadata={"counts": asdict(counts)})
        yield ChatGenerationChunk(message=last)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(c.message.content) for c in self._stream(messages, stop, None, **kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def until(pieces: Iterator[tuple[str, Counts]], stops: Sequence[str]) -> Iterator[tuple[str, Counts]]:
    """Pass text on until one of `stops` appears; what may be the start of one is held back."""
    held, counts = "", Counts(0, 0, 0, 0.0)
    for piece, counts in pieces:
        held += piece
        cut = min((held.find(stop) for stop in stops if stop in held), default=-1)
        if cut >= 0:
            held = held[:cut]
            break
        keep = max((_overlap(held, stop) for stop in stops), default=0)
        if len(held) > keep:
            yield held[: len(held) - keep], counts
            held = held[len(held) - keep :]
    if held:
        yield held, counts


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop`."""
    return next(
        (n for n in range(min(len(text), len(stop) - 1), 0, -1) if stop.startswith(text[-n:])),
        0,
    )


def trimmed(engine: Engine, messages: Sequence[BaseMessage], max_tokens: int) -> list[BaseMessage]:
    """Drop the oldest whole turns until prompt and answer fit; system and last message stay."""
    system = [m for m in messages if m.type == "system"]
    rest = [m for m in messages if m.type != "system"]
    while len(rest) > 1:
        if len(engine.prompt_tokens([*system, *rest])) + max_tokens <= engine.context_tokens:
            break
        rest = rest[2:] if len(rest) > 2 else rest[1:]
    return [*system, *rest]


def check_model_file(path: Path) -> None:
    """Raise ModelError, in words a person can act on, unless `path` looks like a GGUF model that fits."""
    if not path.is_file():
        raise ModelError(
            f"There is no model at {path}: choose one with `coach model use`, or go on with `--model none`."
        )
    with path.open("rb") as file:
        if file.read(4) != GGUF_MAGIC:
            raise ModelError(
                f"{path.name} is not a GGUF model, or it is damaged: fetch it again, "
                "or go on with `--model none`."
            )
    free = available_bytes()
    if free is not None and path.stat().st_size * 1.2 > free:
        raise ModelError(
            f"{path.name} needs about {path.stat().st_size * 1.2 / 1e9:.1f} GB of memory and "
            f"{free / 1e9:.1f} GB is free: close something, or choose a smaller model."
        )


def available_bytes() -> int | None:
    """Memory that can still be had, in bytes, where the system tells (Linux); else None."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None


def llama_is_end(llama: Any, token: int) -> bool:
    """Whether `token` ends the model's turn (any end-of-generation token of its vocabulary)."""
    import llama_cpp

    return bool(llama_cpp.llama_vocab_is_eog(llama_cpp.llama_model_get_vocab(llama.model), token))


def _seed(seed: int | None) -> int:
    return int(time.time_ns() % 2**31) if seed is None else seed % 2**31


def _chat_format(llama: Any) -> Any:
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    template = llama.metadata.get("tokenizer.chat_template")
    if not template:
        raise ModelError("This model carries no chat template: choose an instruct model.")
    return Jinja2ChatFormatter(
        template=template,
        eos_token=llama.detokenize([llama.token_eos()], special=True).decode(errors="replace"),
        bos_token="",
        add_generation_prompt=True,
    )
