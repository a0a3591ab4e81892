"""A draft in parts: nothing lost, nothing cut within a sentence."""

from __future__ import annotations

from coach.care.parts import PIECE, pieces, sentence_places, sentences_of


def test_pieces_cover_a_long_draft_in_order() -> None:
    text = "One short sentence here. " * 200
    parts = pieces(text)
    assert all(len(part) <= PIECE + 60 for _, part in parts)
    assert all(text[at : at + len(part)] == part for at, part in parts)
    assert "".join(part for _, part in parts).count("sentence") == 200


def test_sentences_put_together_are_the_draft() -> None:
    text = "One. Two!\n\nThree? #four"
    assert "".join(sentences_of(text)) == text
    assert [text[a:b] for a, b in sentence_places(text)] == ["One.", "Two!", "Three?", "#four"]
    odd = 'Born at 3.12 today. "How?" she said... Then "why?", and so on'
    assert [odd[a:b] for a, b in sentence_places(odd)] == [
        "Born at 3.12 today.",
        '"How?"',
        "she said...",
        'Then "why?", and so on',
    ]
