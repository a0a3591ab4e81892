"""Likelihood: alike examples make a message likelier, whatever is in memory already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from coach.model import likelihood
from coach.model.likelihood import MESSAGE_TOKENS, PREFIX_TOKENS, Likelihood
from coach.model.local import Engine

EXAMPLES = {
    "rude": "someone called me an idiot under my post\na stranger insults me online\nhe wrote a nasty reply",
    "audience": "I have only nine followers\nnobody reads my posts\nmy last post got no likes at all",
    "patient": "can I share a patient's story\nthe family might recognise the case\nis the scan anonymous",
    "time": "I scroll for hours every night\nmy phone keeps me from sleeping\nI check it between patients",
}
ALIKE = {
    "rude": "a man insults me in the comments under my post",
    "audience": "only two people like my posts, nobody follows me",
    "patient": "may I share the story of this patient, or will the family recognise it",
    "time": "I check my phone for hours every night and do not sleep",
}
NAMES = list(EXAMPLES)
MESSAGE = ALIKE["rude"]


@pytest.fixture(scope="module")
def ranker(engine: Engine) -> Iterator[Likelihood]:
    ranker = Likelihood(engine, EXAMPLES)
    yield ranker
    ranker.close()


def many(count: int) -> dict[str, str]:
    return {
        f"{name}-{number}": f"{number} things\n{text}"
        for number in range(count // len(EXAMPLES))
        for name, text in EXAMPLES.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_message_is_likeliest_after_examples_like_it(ranker: Likelihood, name: str) -> None:
    scores = dict(zip(NAMES, ranker.scores(ALIKE[name], NAMES), strict=True))
    assert max(scores, key=lambda n: scores[n]) == name


def test_scores_are_log_probabilities_per_token_after_minus_alone(
    ranker: Likelihood, engine: Engine, weights: Path
) -> None:
    """Held against llama.cpp reading examples and message in one go, every logit kept."""
    import llama_cpp

    llama = llama_cpp.Llama(str(weights), n_ctx=512, logits_all=True, flash_attn=True, verbose=False)
    message = engine.tokens(f" {MESSAGE}\n")

    def mean_after(prefix: list[int]) -> float:
        llama.reset()
        llama.eval([*prefix, *message])
        logits = llama.scores[len(prefix) - 1 : len(prefix) + len(message) - 1].astype(np.float64)
        total = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
        return float((logits[np.arange(len(message)), message] - total).mean())

    alone = mean_after(engine.tokens("\n"))
    expected = [mean_after(engine.tokens(EXAMPLES[name])) - alone for name in NAMES]
    assert ranker.scores(MESSAGE, NAMES) == pytest.approx(expected, abs=5e-3)
    llama.close()


def test_cold_and_warm_scores_agree(engine: Engine) -> None:
    ranker = Likelihood(engine, EXAMPLES)
    cold = ranker.scores(MESSAGE, NAMES)
    again = ranker.scores(MESSAGE, NAMES)
    ranker.close()
    warmed = Likelihood(engine, EXAMPLES)
    warmed.warm(NAMES)
    warm = warmed.scores(MESSAGE, NAMES)
    warmed.close()
    assert again == pytest.approx(cold, abs=1e-3)
    assert warm == pytest.approx(cold, abs=1e-3)


def test_scores_do_not_depend_on_what_was_asked_before(ranker: Likelihood) -> None:
    before = ranker.scores(MESSAGE, NAMES)
    ranker.scores("something else " * 40, NAMES)
    ranker.scores("", NAMES)
    assert ranker.scores(MESSAGE, NAMES) == pytest.approx(before, abs=1e-3)


def test_scores_follow_the_order_of_the_candidates(ranker: Likelihood) -> None:
    forward = ranker.scores(MESSAGE, NAMES)
    backward = ranker.scores(MESSAGE, NAMES[::-1])
    assert backward[::-1] == pytest.approx(forward, abs=1e-3)
    assert ranker.scores(MESSAGE, NAMES[1:2]) == pytest.approx(forward[1:2], abs=1e-3)
    assert ranker.scores(MESSAGE, []).shape == (0,)


def test_more_candidates_than_slots_score_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = many(12)
    roomy = Likelihood(engine, examples)
    expected = roomy.scores(MESSAGE, list(examples))
    roomy.close()
    monkeypatch.setattr(likelihood, "KEPT", 4)
    tight = Likelihood(engine, examples)
    first, second = tight.scores(MESSAGE, list(examples)), tight.scores(MESSAGE, list(examples))
    tight.warm(list(examples))
    third = tight.scores(MESSAGE, list(examples)[::-1])[::-1]
    tight.close()
    for scores in (first, second, third):
        assert scores == pytest.approx(expected, abs=1e-3)


def test_long_examples_and_long_message_fit(engine: Engine) -> None:
    """Both are cut; without that the context of one candidate would overflow."""
    texts = {"long": "word after word " * PREFIX_TOKENS, "short": "a"}
    ranker = Likelihood(engine, texts)
    scores = ranker.scores("and again " * MESSAGE_TOKENS, ["long", "short"])
    ranker.close()
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def test_context_is_no_larger_than_asked_for(engine: Engine, ranker: Likelihood) -> None:
    """llama.cpp rounds each candidate's share up; what it adds is memory that nobody uses."""
    import llama_cpp

    wanted = (len(EXAMPLES) + 1) * (PREFIX_TOKENS + MESSAGE_TOKENS)
    assert llama_cpp.llama_n_ctx(ranker._context) == wanted


def test_ranking_leaves_the_writing_engine_alone(engine: Engine, ranker: Likelihood) -> None:
    """They share the weights, not the memory of what was read."""
    prompt = engine.tokens("A short story about rest:")
    before = [text for text, _ in engine.stream(prompt, max_tokens=6, temperature=0)]
    ranker.scores(MESSAGE, NAMES)
    pieces = list(engine.stream(prompt, max_tokens=6, temperature=0))
    assert [text for text, _ in pieces] == before
    assert pieces[-1][1].cached_tokens > 0
