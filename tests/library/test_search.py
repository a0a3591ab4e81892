"""Search: the right card first, duplicates dropped, "covered" told apart, follow-ups with their context."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from coach.build import Coach
from coach.errors import IndexFault
from coach.library.cards import Card
from coach.library.embedder import MiniLM
from coach.library.index import fingerprint, make_chroma, open_or_build
from coach.library.search import (
    COVERED_FILE,
    FUSION_K,
    CardRetriever,
    CardSearch,
    Matcher,
    contextual,
    coverage_features,
    fuse,
    make_covered,
)

REST = Card(id="rest", title="Rest", text="Put the phone away after work and sleep before you answer.")
TWIN = REST.model_copy(update={"id": "rest-again", "text": REST.text + "."})
KIND = Card(id="kind", title="Be kind", text="Say that it is wrong, and leave room to mend it.")
WHY = Card(id="why", title="Why post", text="Choose a reason before you choose a platform.")
UNRELATED = [
    "How tall is Mount Everest?",
    "What is the capital of France?",
    "fix my python import error",
    "translate good morning into Japanese",
    "The offside rule in football",
    "when does the train to Leeds leave",
    "Explain photosynthesis.",
    "how do I change a bicycle tyre?",
    "asdf qwer zxcv",
    "?",
    "",
]


def small(folder: Path, encoder: MiniLM, cards: Sequence[Card]) -> CardSearch:
    place = open_or_build(folder, fingerprint(cards, "small"), [(make_chroma(cards), encoder)])
    return CardSearch(cards, place, encoder)


def share_first(coach: Coach, reworded: str = "{}") -> float:
    """The share of all cards' own asks that bring their card first."""
    asked = [(card.id, reworded.format(ask)) for card in coach.cards for ask in card.asks]
    firsts = [coach.search.search(text).passages[0].card == card for card, text in asked]
    return sum(firsts) / len(firsts)


def test_search_finds_each_card_for_its_own_asks(coach: Coach) -> None:
    assert share_first(coach) >= 0.9


def test_search_finds_each_card_for_its_asks_in_other_words(coach: Coach) -> None:
    assert share_first(coach, "hi, quick one: {}.. not sure at all really") >= 0.9


def test_search_covers_what_the_library_asks(coach: Coach) -> None:
    asked = [coach.search.search(ask).covered for card in coach.cards for ask in card.asks]
    assert sum(asked) / len(asked) >= 0.9


@pytest.mark.parametrize("text", UNRELATED)
def test_search_does_not_cover_what_is_unrelated(coach: Coach, text: str) -> None:
    found = coach.search.search(text)
    assert not found.covered
    assert found.confidence < 0.5


def test_search_fills_a_passage_from_its_card(coach: Coach) -> None:
    card = coach.cards[0]
    first = coach.search.search(card.asks[0]).passages[0]
    assert (first.card, first.title, first.text, first.source) == (
        card.id,
        card.title,
        card.text,
        card.source,
    )
    assert (first.start, first.end) == (0, len(card.text))
    assert first.similarity == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("k", [1, 4, 6])
def test_search_brings_k_different_cards_best_first(coach: Coach, k: int) -> None:
    passages = coach.search.search("someone was rude to me online", k=k).passages
    assert len({passage.card for passage in passages}) == len(passages) == k
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)


def test_search_with_a_vector_at_hand_is_the_same(coach: Coach) -> None:
    text = "nobody reads what I post"
    vector = coach.search._encoder.encode([text])[0]
    assert coach.search.search(text, vector=vector) == coach.search.search(text)


def test_search_drops_near_duplicates(tmp_path: Path, encoder: MiniLM) -> None:
    found = small(tmp_path, encoder, (REST, TWIN, KIND, WHY)).search("phone after work", k=4)
    names = [passage.card for passage in found.passages]
    assert names[0] in {"rest", "rest-again"}
    assert len({"rest", "rest-again"} & set(names)) == 1
    assert {"kind", "why"} < set(names)


def test_search_over_an_index_of_other_cards_is_told(tmp_path: Path, encoder: MiniLM) -> None:
    cards = (REST, KIND, WHY)
    place = open_or_build(tmp_path, "all", [(make_chroma(cards), encoder)])
    with pytest.raises(IndexFault, match="run `coach knowledge rebuild`"):
        CardSearch(cards[1:], place, encoder)


def test_search_without_an_index_is_told(tmp_path: Path, encoder: MiniLM) -> None:
    with pytest.raises(IndexFault, match="run `coach knowledge rebuild`"):
        CardSearch((REST,), tmp_path / "nothing", encoder)


def test_search_finds_a_rare_word_and_a_paraphrase(tmp_path: Path, encoder: MiniLM) -> None:
    """One needs the words, the other the vectors."""
    rare = Card(id="rare", title="Tool", text="We use the zorblax board on Mondays.")
    search = small(tmp_path, encoder, (REST, KIND, WHY, rare))
    assert search.search("zorblax").passages[0].card == "rare"
    assert search.search("switching off my mobile in the evening").passages[0].card == "rest"


def test_covered_is_fitted_with_the_index_and_used(tmp_path: Path, encoder: MiniLM) -> None:
    cards = (REST, KIND, WHY)
    covered = ["when do I put the phone away", "how do I say it is wrong", "which platform do I choose"]
    makers = [(make_chroma(cards), encoder), (make_covered(cards, covered, UNRELATED[:5]), encoder)]
    place = open_or_build(tmp_path, "covered", makers)
    assert (place / COVERED_FILE).exists()
    search = CardSearch(cards, place, encoder)
    assert search.search("should I put my phone away after work").covered
    assert not search.search("what is the boiling point of lead").covered


def test_covered_in_own_notes_is_told_by_nearness_alone(tmp_path: Path, encoder: MiniLM) -> None:
    """There is nothing to fit a classifier on."""
    search = small(tmp_path, encoder, (REST, KIND, WHY))
    asked, unasked = search.search("when do I put my phone away"), search.search("tax on a second home")
    assert asked.covered
    assert not unasked.covered
    assert 0.0 <= unasked.confidence < asked.confidence <= 1.0


def test_fuse_adds_reciprocal_ranks_best_first() -> None:
    fused = fuse([{"a": 0.9, "b": 0.8, "c": 0.7}, {"c": 12.0, "b": 11.0}])
    first, second, third = (1 / (FUSION_K + rank) for rank in (1, 2, 3))
    assert list(fused) == ["c", "b", "a"]
    assert fused == pytest.approx({"a": first, "b": 2 * second, "c": first + third})


def test_fuse_looks_at_ranks_not_at_sizes() -> None:
    assert fuse([{"a": 0.2, "b": 0.1}, {}]) == fuse([{"a": 1000.0, "b": -3.0}])
    assert fuse([]) == {}


def test_coverage_features_of_nothing_are_zero() -> None:
    assert np.array_equal(coverage_features({}, {}, 0.0), np.zeros(5, dtype=np.float32))


def test_matcher_scores_only_cards_that_share_a_word() -> None:
    matcher = Matcher((REST, KIND, WHY))
    assert set(matcher.scores("the phone")) == {"rest"}
    assert matcher.scores("zorblax") == matcher.scores("") == {}


def test_matcher_share_counts_content_words_the_library_knows() -> None:
    matcher = Matcher((REST, KIND, WHY))
    assert matcher.share("the phone") == 1.0
    assert matcher.share("phone zorblax") == 0.5
    assert matcher.share("") == 0.0


@pytest.mark.parametrize(
    ("history", "message", "expected"),
    [
        ([], "and how?", "and how?"),
        (["I am angry at a post."], "and how?", "I am angry at a post. and how?"),
        (["first", "second"], "why is that so?", "second why is that so?"),
        (["first"], "one two three four five six seven", "first one two three four five six seven"),
        (["first"], "one two three four five six seven eight", "one two three four five six seven eight"),
    ],
)
def test_contextual_joins_a_short_follow_up_to_the_turn_before(
    history: list[str], message: str, expected: str
) -> None:
    assert contextual(history, message) == expected


def test_retriever_brings_documents_of_the_same_cards(coach: Coach) -> None:
    text = "someone was rude to me online"
    documents = CardRetriever(search_cards=coach.search, k=3).invoke(text)
    passages = coach.search.search(text, k=3).passages
    assert [d.metadata["card"] for d in documents] == [p.card for p in passages]
    assert [d.page_content for d in documents] == [p.text for p in passages]
