"""What people say next: an example finds its exchange, and only the situation's own are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from coach.build import Coach
from coach.library.cards import sentences
from coach.voice.exchanges import MET_AT, Exchanges, make_exchanges
from coach.voice.ledger import plain


@pytest.fixture(scope="module")
def exchanges(coach: Coach) -> Exchanges:
    return Exchanges.load(coach.cards, coach.next_encoder, coach.index)


def test_every_situation_has_exchanges_and_every_exchange_says_something_new(coach: Coach) -> None:
    for card in coach.cards:
        for situation in card.situations:
            assert len(situation.next) >= 10, situation.id
            names = [e.id for e in situation.exchanges]
            assert len(set(names)) == len(names), situation.id
            answered = {plain(part) for a in situation.answers for part in sentences(a.text)}
            for exchange in situation.next:
                assert not answered & {plain(part) for part in sentences(exchange.say)}, exchange.id


def test_examples_find_their_own_exchange(coach: Coach, exchanges: Exchanges) -> None:
    situations = [s for card in coach.cards for s in card.situations][::10]
    pairs = [(s.id, e.id, e.examples[0]) for s in situations for e in s.exchanges]
    found = [next(exchanges.ranked(s, text)).exchange.id == e for s, e, text in pairs]
    # They were learnt from; on situations held out it is 0.6, see eval/LOG.md.
    assert np.mean(found) > 0.9


def test_ranked_gives_all_exchanges_of_the_situation_and_chances_that_sum_to_one(
    coach: Coach, exchanges: Exchanges
) -> None:
    situation = coach.cards[0].situations[0]
    ranked = list(exchanges.ranked(situation.id, "and what would I even write"))
    assert {m.exchange.id for m in ranked} == {e.id for e in situation.exchanges}
    assert sum(m.chance for m in ranked) == pytest.approx(1.0, abs=1e-5)
    assert [m.chance for m in ranked] == sorted((m.chance for m in ranked), reverse=True)


def test_what_belongs_nowhere_is_not_sure_of_any(coach: Coach, exchanges: Exchanges) -> None:
    sure = [
        next(exchanges.ranked(s.id, "the lift smells of soup again")).chance >= MET_AT
        for card in coach.cards
        for s in card.situations
    ]
    assert np.mean(sure) < 0.2


def test_made_means_are_those_that_ship(coach: Coach, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("means")
    cards = coach.built_in[:1]
    make_exchanges(cards)(folder, coach.next_encoder.encode)
    made = Exchanges.load(cards, coach.next_encoder, folder)
    shipped = Exchanges.load(coach.cards, coach.next_encoder, coach.index)
    name = cards[0].situations[0].id
    for ours, theirs in zip(made.ranked(name, "yes"), shipped.ranked(name, "yes"), strict=True):
        assert (ours.exchange.id, ours.chance) == (theirs.exchange.id, pytest.approx(theirs.chance, abs=1e-3))
