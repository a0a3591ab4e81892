"""Settings: the only reader of the environment (`COACH_*`) and of `coach.toml`.

`coach.toml` lies in the folder that `coach doctor` names, or in the current folder.
"""

from __future__ import annotations

import ipaddress
import json
import locale
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from coach.errors import UsageError

APP = "serendip"
SHORTEST_PASSWORD = 8
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
    login: Annotated[tuple[str, str] | None, NoDecode] = None
    names: str = ""
    country: str = ""
    aim: str = ""
    temperature: float = Field(0.3, ge=0, le=2)
    seed: int | None = None
    threads: int | None = Field(None, ge=1)
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir(APP)))
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir(APP)))

    @field_validator("login", mode="before")
    @classmethod
    def _two_parts(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        name, _, password = given.partition(":")
        if not name or len(password) < SHORTEST_PASSWORD:
            raise ValueError(
                f"write it as name:password, the password of {SHORTEST_PASSWORD} characters or more"
            )
        return name, password

    @property
    def home(self) -> str:
        """The country whose help lines are named: the one that was set, else that of this computer's
        language setting (en_GB), else none, which names international ones."""
        found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", locale.getlocale()[0] or "")
        return self.country or (found[1] if found else "")

    @property
    def is_near(self) -> bool:
        """Whether nobody but this computer can reach the page."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names under which the page may be asked for beside this computer's own."""
        return (self.host, *self.names.replace(",", " ").split())

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


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is this computer and nobody else's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def owners_only(folder: Path) -> Path:
    """`folder`, there and open to nobody but the person whose account this is.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def keep(**values: str) -> Path:
    """Write `values` into `config_file`, what else stands there stays; returns the file."""
    path = config_file()
    owners_only(path.parent)
    held = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = [line for line in held if line.split("=")[0].strip() not in values]
    # A TOML basic string is written like a JSON one.
    chosen = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text("\n".join([*chosen, *lines]) + "\n", encoding="utf-8")
    part.replace(path)  # whole or not at all
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
