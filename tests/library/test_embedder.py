"""The sentence encoder: the vectors of sentence-transformers, and a tuned copy that shares safely."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from coach.errors import CoachError
from coach.library.embedder import MAX_TOKENS, TUNED_LAYERS, WIDTH, MiniLM, NamedEncoder, packaged_weights

TEXTS = [
    "",
    " ",
    "?",
    "ok",
    "How do I tell someone online that they are wrong?",
    "HOW DO I TELL SOMEONE ONLINE THAT THEY ARE WRONG?",
    "Ärztin auf Twitter: darf ich das? 我可以发吗？",
    "my consultant’s “joke” — 3.5k likes… 😬👩🏽‍⚕️",
    "line one\nline two\tand a tab  and   spaces",
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 3,
    "a" * 300,
    "<b>not</b> [CLS] a [SEP] tag {echo} \\n",
]
LONG = [
    "post " * (MAX_TOKENS - 2),
    "post " * (MAX_TOKENS + 200) + "but the end is cut",
    "Nobody has to post. The thread says so twice, once about goals and once about rest. " * 8,
]


@pytest.fixture(scope="module")
def layers(encoder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Upper layers that differ from the packaged ones, in half precision as those that ship."""
    name = "encoder.layer.5.output.dense.weight"
    original = load_file(packaged_weights() / "model.safetensors")[name]
    path = tmp_path_factory.mktemp("tuned") / "layers.safetensors"
    save_file({name: np.ascontiguousarray(original[::-1]).astype(np.float16)}, path)
    return path


def digest(encoder: MiniLM) -> str:
    """What all weights hold, so that a change in any of them shows."""
    held = hashlib.sha256()
    for name in sorted(encoder._weights):
        held.update(encoder._weights[name].tobytes())
    return held.hexdigest()


def test_encode_gives_the_vectors_of_sentence_transformers(encoder: MiniLM) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_weights()), device="cpu", local_files_only=True)
    expected = model.encode(TEXTS + LONG, normalize_embeddings=True, show_progress_bar=False)
    assert np.abs(encoder.encode(TEXTS + LONG) - expected).max() < 1e-4


def test_encode_gives_unit_rows_in_the_order_of_the_texts(encoder: MiniLM) -> None:
    """Texts are sorted by length and read in batches; neither may show."""
    together = encoder.encode(TEXTS, batch=4)
    alone = np.stack([encoder.encode([text])[0] for text in TEXTS])
    assert together.shape == (len(TEXTS), WIDTH)
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert np.abs(together - alone).max() < 1e-5


def test_encode_of_nothing_is_an_empty_array(encoder: MiniLM) -> None:
    assert encoder.encode([]).shape == (0, WIDTH)


def test_encode_cuts_after_the_token_limit(encoder: MiniLM) -> None:
    long = "post " * MAX_TOKENS
    first, second, shorter = encoder.encode([long + "kindly", long + "in anger", "post post"])
    assert np.array_equal(first, second)
    assert not np.allclose(first, shorter, atol=1e-3)


def test_encode_from_several_threads_gives_the_same(encoder: MiniLM) -> None:
    expected = encoder.encode(TEXTS)
    got: list[float] = []

    def work() -> None:
        got.append(float(np.abs(encoder.encode(TEXTS) - expected).max()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert max(got) < 1e-6


def test_embed_methods_are_encode_as_plain_numbers(encoder: MiniLM) -> None:
    row = encoder.embed_query(TEXTS[4])
    assert isinstance(row[0], float)
    assert np.allclose(row, encoder.encode([TEXTS[4]])[0], atol=1e-6)
    assert np.allclose(encoder.embed_documents(TEXTS[4:6]), encoder.encode(TEXTS[4:6]), atol=1e-6)


def test_tuned_changes_vectors_and_fingerprint(encoder: MiniLM, layers: Path) -> None:
    tuned = encoder.tuned(layers)
    assert np.abs(tuned.encode(TEXTS) - encoder.encode(TEXTS)).max() > 0.01
    assert tuned.fingerprint != encoder.fingerprint


def test_tuned_fingerprint_follows_the_layers(encoder: MiniLM, layers: Path, tmp_path: Path) -> None:
    others = {name: w * np.float16(0.5) for name, w in load_file(layers).items()}
    save_file(others, tmp_path / "others.safetensors")
    fingerprints = {encoder.tuned(path).fingerprint for path in (layers, tmp_path / "others.safetensors")}
    assert len(fingerprints) == 2
    assert encoder.tuned(layers).fingerprint in fingerprints


def test_tuned_leaves_the_first_encoder_as_it_was(encoder: MiniLM, layers: Path) -> None:
    before, weights = encoder.encode(TEXTS), digest(encoder)
    tuned = encoder.tuned(layers)
    tuned.encode(TEXTS)
    assert digest(encoder) == weights
    assert np.array_equal(encoder.encode(TEXTS), before)


def test_tuned_shares_nothing_that_changes(encoder: MiniLM, layers: Path) -> None:
    """Arrays are shared and only read; the table of them is each encoder's own."""
    tuned = encoder.tuned(layers)
    changed = set(load_file(layers))
    assert tuned._weights is not encoder._weights
    for name, array in tuned._weights.items():
        assert np.shares_memory(array, encoder._weights[name]) == (name not in changed)
    tuned._weights.clear()
    assert encoder.encode(["still here"]).shape == (1, WIDTH)


def test_shipped_layers_fit_the_packaged_encoder(encoder: MiniLM) -> None:
    """Every layer that ships replaces one of the same name and shape."""
    for name, array in load_file(TUNED_LAYERS).items():
        assert array.shape == encoder._weights[name].shape, name
    tuned = encoder.tuned(TUNED_LAYERS).encode(TEXTS)
    assert np.isfinite(tuned).all()
    assert np.abs(tuned - encoder.encode(TEXTS)).max() > 0.01


def test_damaged_weights_are_told_by_folder(tmp_path: Path) -> None:
    for file in packaged_weights().iterdir():
        if file.is_file() and file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    whole = (packaged_weights() / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CoachError, match="reinstall it") as raised:
        MiniLM(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_named_encoder_in_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CoachError, match="name a folder that holds one"):
        NamedEncoder(str(tmp_path / "gone"))


def test_named_encoder_gives_the_vectors_of_its_folder(encoder: MiniLM) -> None:
    named = NamedEncoder(str(packaged_weights()))
    assert np.abs(named.encode(TEXTS[3:6]) - encoder.encode(TEXTS[3:6])).max() < 1e-4
    assert np.allclose(named.embed_query(TEXTS[4]), encoder.embed_query(TEXTS[4]), atol=1e-4)
