"""Settings of Forge, read from the environment and from `.env`; every one has a default that works on one plain machine.

`settings()` reads them anew on each call; a wrong value raises SettingError with the variable's name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from forge_resources.compute import usable_cores
from forge_resources.errors import SettingError

PROJECT = Path(__file__).resolve().parent.parent
"""Root of a checkout (an editable install); `in_checkout()` tells whether it is one."""


CRON_SHORTHAND = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
CRON_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/[1-9]\d?)?", re.ASCII)
CRON_NAMES = {
    "month": {name: str(n) for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)},
    "day of the week": {name: str(n) for n, name in enumerate("sun mon tue wed thu fri sat".split())},
}


def in_checkout() -> bool:
    return (PROJECT / "pyproject.toml").is_file()


def default_home() -> Path:
    return (PROJECT if in_checkout() else Path.cwd()) / "dagster_home"


class Settings(BaseSettings):
    """One field per `FORGE_<NAME>` variable; `forge doctor` prints this list."""

    model_config = SettingsConfigDict(env_prefix="FORGE_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home, description="folder of all state: database, objects, indexes, Dagster's storage, logs")
    database_url: str | None = Field(
        default=None, description="Postgres with pgvector, e.g. postgresql://user:password@host/db; default: embedded under FORGE_HOME"
    )
    object_store_url: str | None = Field(default=None, description="s3://bucket/prefix or a folder; default: FORGE_HOME/objects")
    s3_endpoint: str | None = Field(default=None, description="endpoint of an S3 store that is not AWS, e.g. http://localhost:9000")
    embedder: str = Field(default="minilm", description="'minilm' (shipped), or name or path of any sentence-transformers model")
    embedder_backend: Literal["auto", "torch", "openvino", "cuda"] = Field(default="auto", description="how the embedder runs")
    llm_base_url: str | None = Field(default=None, description="OpenAI-compatible endpoint, e.g. http://localhost:8000/v1; none is needed")
    llm_model: str | None = Field(default=None, description="name of the language model at that endpoint")
    llm_api_key: SecretStr | None = Field(default=None, description="key for that endpoint, where it wants one")
    llm_timeout_s: float = Field(default=120.0, gt=0, allow_inf_nan=False, description="longest wait for one answer of the language model")
    llm_budget_tokens: int = Field(default=1_000_000, ge=0, description="tokens that one run may spend on the language model")
    llm_parallel: int = Field(default=4, ge=1, le=64, description="questions asked of the language model at once")
    workers: int = Field(default_factory=usable_cores, ge=1, le=256, description="parser processes")
    max_document_mb: float = Field(default=100.0, gt=0, allow_inf_nan=False, description="larger documents are quarantined")
    document_timeout_s: float = Field(
        default=120.0, gt=0, allow_inf_nan=False, description="a document that takes longer to parse is quarantined"
    )
    contact: str | None = Field(default=None, description="e-mail address told to arXiv and other hosts that documents are fetched from")
    private_hosts: str = Field(
        default="", description="hosts that may be fetched from though their addresses are private: 'host' or 'host:port', by commas"
    )
    fetches_per_run: int = Field(default=2000, ge=0, description="documents fetched per source and run; the others wait for the next run")
    inbox: Path | None = Field(default=None, description="folder watched by the inbox sensor; default: FORGE_HOME/inbox")
    overrides: Path | None = Field(
        default=None, description="log of all decisions people made, for the team's git; default: FORGE_HOME/overrides.yaml"
    )
    nightly_cron: str = Field(default="0 3 * * *", description="when nightly_reindex runs")
    topics_refit_days: float = Field(
        default=7.0, gt=0, allow_inf_nan=False, description="topics are fitted anew when the last fit is older and works have changed"
    )
    candidates_days: float = Field(
        default=7.0,
        ge=0,
        allow_inf_nan=False,
        description="on a large corpus, names that the ontology lacks are looked for when the last look is older",
    )
    price_per_hour: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="price of this machine; without it the nightly report counts CPU seconds"
    )
    gpu_price_per_hour: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="price of its GPU, counted while it embeds"
    )
    host: str = Field(default="127.0.0.1", description="address `forge up` listens on")
    port: int = Field(default=3000, ge=1, le=65535, description="port of the Dagster UI started by `forge up`")

    @field_validator("home", "inbox", "overrides", mode="after")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("nightly_cron", mode="after")
    @classmethod
    def _cron(cls, line: str) -> str:
        check_cron(line)
        return line

    @field_validator("s3_endpoint", "llm_base_url", mode="after")
    @classmethod
    def _endpoint(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("expected http://host:port or https://host")
        return url

    @field_validator("contact", mode="after")
    @classmethod
    def _contact(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(r"[!-~]+@[!-~]+", text):
            raise ValueError("expected an e-mail address such as name@example.org")
        return text

    @property
    def embedded(self) -> bool:
        """True when Forge runs its own Postgres."""
        return not self.database_url

    @property
    def objects_url(self) -> str:
        return self.object_store_url or str(self.home / "objects")

    @property
    def private_host_list(self) -> tuple[str, ...]:
        return tuple(host for part in self.private_hosts.split(",") if (host := part.strip().lower()))

    @property
    def inbox_folder(self) -> Path:
        return self.inbox or self.home / "inbox"

    @property
    def overrides_file(self) -> Path:
        return self.overrides or self.home / "overrides.yaml"


def settings() -> Settings:
    """The settings in force. Raises SettingError naming each wrong variable, what it holds and what is expected."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"FORGE_{field.upper()}={value!r}: {why}" for field, value, why in wrong_settings(error))
        raise SettingError(f"wrong setting: {wrong} (see `forge doctor` for the list)") from None
    except (UnicodeDecodeError, OSError) as error:
        raise SettingError(unreadable_dotenv(error)) from None


def wrong_settings(error: ValidationError) -> list[tuple[str, object, str]]:
    """Field, what it holds, and what is expected."""
    return [(str(e["loc"][0]), e.get("input"), e["msg"].removeprefix("Value error, ")) for e in error.errors()]


def unreadable_dotenv(error: UnicodeDecodeError | OSError) -> str:
    """The sentence for a `.env` that Settings could not read."""
    file = Path(str(Settings.model_config.get("env_file"))).absolute()
    if isinstance(error, UnicodeDecodeError):
        return f"{file} is not UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8"
    return f"{file} cannot be read: {error.strerror or error}"


def check_cron(line: str) -> None:
    """Raises ValueError unless it is a cron line of five fields, or a shorthand. Dagster would tell too, but loads for seconds."""
    fields = line.lower().split()
    if fields and fields[0] in CRON_SHORTHAND and len(fields) == 1:
        return
    if len(fields) != len(CRON_FIELDS):
        raise ValueError(f"expected a cron line of five fields such as '0 3 * * *', found {len(fields)}")
    for text, (what, least, most) in zip(fields, CRON_FIELDS, strict=True):
        for part in text.split(","):
            named = re.sub(r"[a-z]+", lambda word: CRON_NAMES.get(what, {}).get(word[0], word[0]), part)  # noqa: B023
            match = CRON_PART.fullmatch(named)
            numbers = [int(number) for number in match.groups() if number] if match else []
            if match is None or numbers != sorted(numbers) or not all(least <= number <= most for number in numbers):
                raise ValueError(f"expected a cron line such as '0 3 * * *', found {part!r} as {what} ({least}-{most})")
