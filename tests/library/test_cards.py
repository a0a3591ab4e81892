"""Cards: the built-in ones load; a broken one is told by file, line and what to mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.errors import KnowledgeError
from coach.library.cards import load_cards, sentences, written_turns
from coach.prompts import shipped

BUILT_IN = shipped("knowledge") / "thread"
Break = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of one sound card, copied from the built-in ones."""
    inside = tmp_path / "cards" / "conduct"
    inside.mkdir(parents=True)
    for name in ("be-kind.md", "be-kind.yaml"):
        text = (BUILT_IN / "conduct" / name).read_text(encoding="utf-8")
        (inside / name).write_text(text, encoding="utf-8")
    return tmp_path / "cards"


def change(folder: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    """Replace the first `old` in a file; returns the file and the line (from 1) where it stood."""
    path = folder / "conduct" / name
    text = path.read_text(encoding="utf-8")
    at = text.index(old)
    path.write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    return path, text[:at].count("\n") + 1


def fault(folder: Path, *, strict: bool = True) -> str:
    with pytest.raises(KnowledgeError) as raised:
        load_cards(folder, strict=strict)
    return str(raised.value)


def first_answer(folder: Path) -> str:
    """The `say` of the first neutral answer, as it stands in the file, on one line."""
    text = (folder / "conduct" / "be-kind.yaml").read_text(encoding="utf-8")
    found = re.search(r"say: >-\n\s+(.+)\n", text)
    assert found is not None
    return found.group(1)


def test_load_cards_reads_every_built_in_card() -> None:
    cards = load_cards(BUILT_IN)
    assert {card.id for card in cards} == {path.stem for path in BUILT_IN.rglob("*.md")}
    assert all(card.asks and card.neutral and len(card.situations) >= 3 for card in cards)
    assert all(card.theme == next(BUILT_IN.rglob(f"{card.id}.md")).parent.name for card in cards)


def test_load_cards_adds_the_examples_of_other_hands() -> None:
    card = next(c for c in load_cards(BUILT_IN) if c.id == "be-kind")
    own = (BUILT_IN / "conduct" / "be-kind.yaml").read_text(encoding="utf-8")
    examples = [text for situation in card.situations for text in situation.examples]
    from_file = [text for text in examples if text not in own]
    assert 0 < len(from_file) < len(examples)


def test_load_cards_accepts_the_card_the_other_tests_break(folder: Path) -> None:
    assert [card.id for card in load_cards(folder)] == ["be-kind"]


def test_card_without_title_is_told_by_file_and_field(folder: Path) -> None:
    path, _ = change(folder, "be-kind.md", "title: Be kind\n", "")
    assert re.search(rf"{re.escape(str(path))}:\d+: title: Field required", fault(folder))


def test_card_with_an_unknown_field_is_told_at_its_line(folder: Path) -> None:
    path, line = change(folder, "be-kind.md", "title: Be kind\n", "title: Be kind\ntitel: Be kind\n")
    assert f"{path}:{line + 1}: titel: " in fault(folder)


def test_situation_without_choice_is_told_at_its_line(folder: Path) -> None:
    old = "    choice: Someone posted something wrong and I may correct it\n"
    path, line = change(folder, "be-kind.yaml", old, "")
    assert f"{path}:{line - 1}: situations.0.choice: Field required" in fault(folder)


def test_answer_with_too_few_words_is_told_with_the_bounds(folder: Path) -> None:
    path, line = change(folder, "be-kind.yaml", first_answer(folder), "Kind is enough [be-kind].")
    message = fault(folder)
    # The fault is the whole answer's, whose first line is the one before `say`.
    assert re.search(rf"{re.escape(str(path))}:{line - 2}: neutral\.0: \d+ words; 50 to 110", message)


def test_answer_with_too_many_words_is_told_with_the_bounds(folder: Path) -> None:
    said = first_answer(folder)
    path, _ = change(folder, "be-kind.yaml", said, f"{said} " + "again and " * 50 + "again.")
    assert re.search(rf"{re.escape(str(path))}:\d+: neutral\.0: \d+ words; 50 to 110", fault(folder))


def test_answer_with_two_questions_is_told(folder: Path) -> None:
    said = first_answer(folder)
    path, line = change(folder, "be-kind.yaml", said, f"{said} Is it not?")
    message = fault(folder)
    assert f"{path}:{line - 2}: neutral.0: exactly one question, at the very end" in message


def test_answer_without_citation_is_told(folder: Path) -> None:
    path, line = change(folder, "be-kind.yaml", " [be-kind]", "")
    message = fault(folder)
    assert f"{path}:{line - 2}: neutral.0: an answer needs at least one citation" in message


def test_citation_of_no_card_is_told_with_the_place(folder: Path) -> None:
    change(folder, "be-kind.yaml", "[be-kind]", "[be-kinder]")
    assert fault(folder) == "be-kind neutral 1: cites [be-kinder], which is no card"


def test_sentence_said_twice_is_told_with_both_places(folder: Path) -> None:
    first = "Where have you met it, online or off, in a form that you could believe?"
    spare = "With whom do you find it hardest to stay kind?"
    change(folder, "be-kind.yaml", first, spare)
    message = fault(folder)
    assert message.startswith("be-kind neutral 2: says what be-kind neutral 1 says too")
    assert spare in message


def test_two_cards_with_one_id_are_told(folder: Path) -> None:
    (folder / "twin").mkdir()
    for name in ("be-kind.md", "be-kind.yaml"):
        text = (folder / "conduct" / name).read_text(encoding="utf-8")
        (folder / "twin" / name).write_text(text, encoding="utf-8")
    assert "be-kind: two cards have this id; rename one" in fault(folder)


def test_broken_yaml_beside_a_card_is_told_at_its_line(folder: Path) -> None:
    path, line = change(folder, "be-kind.yaml", "  - id: correcting-a-colleague\n", "  - id: [correcting\n")
    told = re.search(rf"{re.escape(str(path))}:(\d+): not readable as YAML", fault(folder))
    assert told is not None
    # The reader notices an open bracket at the next key, one line further down.
    assert int(told.group(1)) - line in (0, 1)


def test_broken_yaml_in_front_matter_is_told_at_its_line(folder: Path) -> None:
    old = "topics: [kindness, correction, apology, tone]\n"
    path, line = change(folder, "be-kind.md", old, "topics: [kindness, correction\n")
    told = re.search(rf"{re.escape(str(path))}:(\d+): not readable as YAML", fault(folder))
    assert told is not None
    assert int(told.group(1)) - line in (0, 1)


def test_unknown_situation_in_more_examples_is_told(folder: Path) -> None:
    more = folder / "conduct" / "be-kind.examples.yaml"
    more.write_text("card: be-kind\nexamples:\n  no-such:\n    - was I rude\n", encoding="utf-8")
    assert fault(folder).startswith(f"{more}:")
    assert "no-such is no situation of be-kind" in fault(folder)


def test_card_without_situations_is_told(folder: Path) -> None:
    (folder / "conduct" / "be-kind.yaml").unlink()
    assert "be-kind.md:1: be-kind.yaml is missing beside it; write its situations" in fault(folder)


def test_faults_of_several_files_come_in_one_message(folder: Path) -> None:
    change(folder, "be-kind.yaml", "card: be-kind\n", "card: be-cruel\n")
    (folder / "second.md").write_text("---\nid: second\n---\nText.\n", encoding="utf-8")
    message = fault(folder)
    assert "be-kind.yaml:1: card is be-cruel, expected be-kind" in message
    assert "second.md" in message


@pytest.mark.parametrize("strict", [True, False])
def test_folder_that_is_missing_or_empty_is_told(tmp_path: Path, strict: bool) -> None:
    assert "holds no cards; add Markdown files" in fault(tmp_path, strict=strict)
    assert "There is no folder" in fault(tmp_path / "gone", strict=strict)


def test_plain_notes_load_without_front_matter(tmp_path: Path) -> None:
    (tmp_path / "trips").mkdir()
    (tmp_path / "trips" / "My Notes.md").write_text("# On posting\n\nPost on\nMondays.\n", encoding="utf-8")
    (tmp_path / "plain.txt").write_text("Sleep before you answer.", encoding="utf-8")
    (tmp_path / "headed.md").write_text("---\ntitle: Headed\nasks: [when?]\n---\nBody.\n", encoding="utf-8")
    (tmp_path / "open.md").write_text("---\ntitle: [never closed\n---\nStill text.\n", encoding="utf-8")
    cards = {card.id: card for card in load_cards(tmp_path, strict=False)}
    assert cards["trips-my-notes"].title == "On posting"
    assert cards["trips-my-notes"].text == "Post on Mondays."
    assert cards["plain"].text == "Sleep before you answer."
    assert (cards["headed"].title, cards["headed"].asks) == ("Headed", ("when?",))
    assert "Still text." in cards["open"].text
    assert not any(card.situations for card in cards.values())


def test_note_with_a_single_ask_or_topic_keeps_it_whole(tmp_path: Path) -> None:
    text = "---\ntopics: sleep\nasks: When should I stop?\n---\nBefore ten.\n"
    (tmp_path / "night.md").write_text(text, encoding="utf-8")
    (card,) = load_cards(tmp_path, strict=False)
    assert (card.topics, card.asks) == (("sleep",), ("When should I stop?",))


def test_card_that_is_not_utf8_is_told_by_file(folder: Path) -> None:
    path = folder / "conduct" / "be-kind.md"
    path.write_bytes(path.read_bytes() + "caf\u00e9".encode("latin-1"))
    assert str(path) in fault(folder)


def test_sentences_keep_a_citation_with_what_it_closes() -> None:
    parts = sentences("It is small [be-kind]. Dr. S. Mojarad said so. “Is it?” Yes.")
    assert parts[0] == "It is small [be-kind]."
    assert parts[-1] == "Yes."


def test_written_turns_hold_every_answer_once(folder: Path) -> None:
    (card,) = load_cards(folder)
    places = [place for place, _ in written_turns(card)]
    answers = [place for place in places if " answer " in place and "follow" not in place]
    assert len(answers) == sum(len(situation.answers) for situation in card.situations)
    assert len(set(answers)) == len(answers)
