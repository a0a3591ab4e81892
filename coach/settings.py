"""Settings: the only reader of the environment (`COACH_*`) and of `coach.toml`.

`coach.toml` lies in the folder that `coach doctor` names, or in the current folder.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from coach.errors import UsageError

APP = "serendip"
NOTES = "notes"  # the folder of the cache with indexes over the person's own notes


VoiceSetting = Literal["auto", "guided", "free"]


class Settings(BaseSettings):
    """Everything that can be set; each field can also come from `COACH_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="COACH_", extra="ignore", frozen=True)

    model: str = "smollm2-135m"
    voice: VoiceSetting = "auto"
    encoder: Path | None = None
    knowledge: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(7860, ge=0, le=65535)
    country: str = ""
    aim: str = ""
    temperature: float = Field(0.3, ge=0, le=2)
    seed: int | None = None
    threads: int | None = Field(None, ge=1)
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir(APP)))
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir(APP)))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = [config_file(), Path("coach.toml")]
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=files),
        )


def config_file() -> Path:
    """Where what was chosen is written, by `coach model use` or on the page."""
    return Path(platformdirs.user_config_dir(APP)) / "coach.toml"


def keep(**values: str) -> Path:
    """Write `values` into `config_file`, what else stands there stays; returns the file."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = [line for line in held if line.split("=")[0].strip() not in values]
    # A TOML basic string is written like a JSON one.
    chosen = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path.write_text("\n".join([*chosen, *lines]) + "\n", encoding="utf-8")
    return path


def load_settings(**given: object) -> Settings:
    """Read settings; values given here win over the environment, that over `coach.toml`.

    Raises:
        UsageError: a value does not fit; says which and why.
    """
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as fault:
        first = fault.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"The setting {name} does not fit: {first['msg']}.") from fault
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"{config_file()} or ./coach.toml is not readable ({fault}); mend it.") from fault
