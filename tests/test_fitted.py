"""The classifiers that ship belong to the cards that ship."""

from __future__ import annotations

from coach.build import FITTED, Coach


def test_fitted_classifiers_are_those_of_the_built_in_cards(coach: Coach) -> None:
    assert [p.name for p in FITTED.iterdir()] == [coach.fitted_on], "run `make fit`"
