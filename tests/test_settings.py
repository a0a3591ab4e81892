"""Settings: where a value comes from, which source wins, and what is said when it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from coach.errors import UsageError
from coach.settings import APP, config_file, keep, load_settings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a current folder without any settings of their own; returns the folder."""
    for name in ("MODEL", "VOICE", "PORT", "COUNTRY", "CACHE_DIR", "DATA_DIR", "KNOWLEDGE", "SEED"):
        monkeypatch.delenv(f"COACH_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_config(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text, encoding="utf-8")


def test_settings_without_any_source_are_the_defaults(alone: Path) -> None:
    settings = load_settings()
    assert (settings.model, settings.voice, settings.host) == ("smollm2-135m", "auto", "127.0.0.1")
    assert (settings.country, settings.knowledge, settings.seed) == ("", None, None)
    assert settings.cache_dir == alone / "cache" / APP
    assert settings.data_dir == alone / "data" / APP


def test_settings_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_MODEL", "none")
    monkeypatch.setenv("COACH_PORT", "9000")
    settings = load_settings()
    assert (settings.model, settings.port) == ("none", 9000)


def test_settings_config_file_is_read() -> None:
    write_config('model = "none"\ncountry = "GB"\n')
    settings = load_settings()
    assert (settings.model, settings.country) == ("none", "GB")


def test_settings_file_in_the_current_folder_wins_over_the_config_file(alone: Path) -> None:
    write_config('country = "GB"\nmodel = "none"\n')
    (alone / "coach.toml").write_text('country = "IE"\n', encoding="utf-8")
    settings = load_settings()
    assert (settings.country, settings.model) == ("IE", "none")


def test_settings_environment_wins_over_files(monkeypatch: pytest.MonkeyPatch) -> None:
    write_config('country = "GB"\n')
    monkeypatch.setenv("COACH_COUNTRY", "NZ")
    assert load_settings().country == "NZ"


def test_settings_given_value_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_COUNTRY", "NZ")
    assert load_settings(country="US").country == "US"


def test_settings_given_none_means_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_MODEL", "none")
    assert load_settings(model=None).model == "none"


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 70000), ("voice", "loud"), ("temperature", 3), ("threads", 0), ("seed", "soon")],
)
def test_settings_value_that_does_not_fit_is_named(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"The setting {name} does not fit"):
        load_settings(**{name: value})


def test_settings_bad_environment_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_PORT", "eighty")
    with pytest.raises(UsageError, match="port"):
        load_settings()


def test_settings_unreadable_toml_is_a_usage_error_that_names_the_file() -> None:
    write_config("model = none\n")
    with pytest.raises(UsageError, match=r"coach\.toml"):
        load_settings()


def test_settings_unknown_key_in_the_file_does_no_harm() -> None:
    write_config('colour = "green"\ncountry = "GB"\n')
    assert load_settings().country == "GB"


def test_settings_do_not_change_once_read() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
    assert settings.port == 7860


def test_keep_writes_what_was_chosen_and_leaves_the_rest() -> None:
    write_config('model = "none"\nport = 9000\ncountry = "GB"\n')
    assert keep(country="NZ", voice="guided") == config_file()
    settings = load_settings()
    assert (settings.country, settings.voice, settings.model, settings.port) == ("NZ", "guided", "none", 9000)


def test_keep_makes_the_folder_and_takes_any_text() -> None:
    keep(model='C:\\models\\odd "name".gguf')
    assert load_settings().model == 'C:\\models\\odd "name".gguf'
