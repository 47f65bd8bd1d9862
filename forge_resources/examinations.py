"""The examinations of `forge doctor`: each looks at one thing outside of Forge and tells what it found.

In: settings. Out: findings. Cheap: no torch, no model is loaded; what does not exist yet is not made.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from forge_resources import migrations, sandbox
from forge_resources.compute import compute, gpus
from forge_resources.database import Database
from forge_resources.errors import ForgeError
from forge_resources.http_answers import safe_url
from forge_resources.object_store import open_store
from forge_resources.settings import Settings

Source = Literal["default", "environment", ".env", "machine"]
Status = Literal["ok", "warning", "error"]
LITTLE_SPACE, TOO_LITTLE_SPACE = 5 << 30, 1 << 30  # bytes: 25,000 records with vectors take about 1 GB
LANGUAGE_MODEL_TIMEOUT = 3.0  # seconds
MODELS_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    value: str
    source: Source
    status: Status
    message: str = ""


def found(name: str, value: str, message: str = "", status: Status = "ok") -> list[Finding]:
    return [Finding(name, value, "machine", status, message)]


def machine(settings: Settings) -> list[Finding]:
    here = compute()
    bf16 = ", computes bf16" if here.bf16 else ""
    findings = found("processor", f"{here.cores} cores, {here.processor}{bf16}") + found("memory", _size(here.memory_bytes))
    for gpu in here.gpus:
        findings += found("gpu", f"{gpu.name}, {gpu.memory_mb} MiB, driver {gpu.driver}")
    return findings if here.gpus else findings + found("gpu", "none", "everything runs on the processor")


def home(settings: Settings) -> list[Finding]:
    there = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return found("home", str(settings.home), f"{there} cannot be written; choose another FORGE_HOME", "error")
    free = shutil.disk_usage(there).free
    if free < TOO_LITTLE_SPACE:
        return found("disk space", f"{_size(free)} free", f"too little at {there}; the database would stop", "error")
    if free < LITTLE_SPACE:
        return found(
            "disk space", f"{_size(free)} free", f"little at {there}; 25,000 records with their vectors take about 1 GB", "warning"
        )
    return found("disk space", f"{_size(free)} free", str(there))


def database(settings: Settings) -> list[Finding]:
    if settings.embedded and not (settings.home / "postgres" / "data").exists():
        return found("database", "embedded, not made yet", "the first use makes it")
    try:
        with Database.open(settings, migrate=False) as opened, opened.begin() as connection:
            server = connection.exec_driver_sql("SHOW server_version").scalar()
            vector = connection.exec_driver_sql("SELECT extversion FROM pg_extension WHERE extname = 'vector'").scalar()
            pending = len(migrations.pending(opened))
            where = opened.description
    except ForgeError as error:
        return found("database", "not usable", str(error), "error")
    value = f"Postgres {server.split()[0] if server else '?'}, pgvector {vector or 'not installed yet'}"
    return found("database", value, f"{where}; {pending} schema changes will be applied at the next use" if pending else where)


def object_store(settings: Settings) -> list[Finding]:
    if settings.object_store_url is None and not Path(settings.objects_url).exists():
        return found("object store", "folder, not made yet", "the first use makes it")
    key, data = f"doctor/{uuid.uuid4().hex}", os.urandom(64)
    try:
        store = open_store(settings.objects_url, settings)
        try:
            store.put(key, data)
            if store.get(key) != data:
                return found("object store", store.address, "what was written is not what is read", "error")
        finally:
            store.delete(key)
    except ForgeError as error:
        return found("object store", "not usable", str(error), "error")
    return found("object store", store.address, "written, read and deleted a probe")


def embedder(settings: Settings) -> list[Finding]:
    from forge_resources.embedder import find_model

    if not _at_hand(settings.embedder):
        return found("embedder", settings.embedder, "not in the local cache; the first use fetches it from the model hub", "warning")
    try:
        model = find_model(settings.embedder)
    except ForgeError as error:
        return found("embedder", "not usable", str(error), "error")
    backend, complaint = _backend(settings)
    return found("embedder", f"{settings.embedder} on {backend}", complaint or str(model.folder), "warning" if complaint else "ok")


def _at_hand(model: str) -> bool:
    """False for a name of the model hub that would have to be fetched; a wrong name or folder is for `find_model` to tell."""
    if "/" not in model or Path(model).expanduser().exists() or model.startswith(("/", "~", ".")):
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(model, "config.json"), str)


def _backend(settings: Settings) -> tuple[str, str]:
    """What `load_embedder` will choose, told without importing torch, and what is odd about it."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        build = ""
    cuda = bool(gpus()) and "+cpu" not in build
    openvino = importlib.util.find_spec("openvino") is not None
    wanted = settings.embedder_backend
    if wanted == "cuda" and not cuda:
        return wanted, "no CUDA device that torch could use is here; use FORGE_EMBEDDER_BACKEND=auto"
    if wanted == "openvino" and not openvino:
        return wanted, "openvino is not installed; install Forge's extra 'fast', or use FORGE_EMBEDDER_BACKEND=auto"
    chosen = wanted if wanted != "auto" else "cuda" if cuda else "openvino" if openvino else "torch"
    idle = bool(gpus()) and wanted == "auto" and not cuda
    return chosen, f"the GPU lies idle: torch {build} is the build without CUDA" if idle else ""


def readers(settings: Settings) -> list[Finding]:
    findings = []
    tesseract = _first_line("tesseract", "--version")
    if tesseract:
        languages = _output("tesseract", "--list-langs").split("\n")[1:]
        findings += found("ocr", tesseract, f"languages: {', '.join(language for language in languages if language)}")
    else:
        findings += found(
            "ocr", "none", "scanned documents are quarantined; install the system package tesseract-ocr to read them", "warning"
        )
    pandoc = _pandoc()
    line = _first_line(pandoc, "--version") if pandoc else ""
    if line:
        return findings + found("pandoc", line)
    return findings + found("pandoc", "none", "rst and odt files are quarantined; install the Python package pypandoc_binary", "warning")


def parser_sandbox(settings: Settings) -> list[Finding]:
    held = sandbox.measures()
    if sandbox.NAMESPACE in held or sandbox.SYSCALLS in held:
        return found("parser sandbox", ", ".join(held), "what reads documents is cut off from the network by the kernel")
    value = ", ".join(("sockets refused by Python only", *held))
    return found("parser sandbox", value, "this kernel, or the container's profile, allows no stronger measure", "warning")


def language_model(settings: Settings) -> list[Finding]:
    url, wanted = settings.llm_base_url, settings.llm_model
    if not url and not wanted:
        return found(
            "language model", "none", "none is needed: documents are composed of cited sentences; set FORGE_LLM_BASE_URL to use one"
        )
    if not url or not wanted:
        missing, other = ("FORGE_LLM_MODEL", "FORGE_LLM_BASE_URL") if url else ("FORGE_LLM_BASE_URL", "FORGE_LLM_MODEL")
        return found("language model", wanted or safe_url(url or ""), f"{other} is set; set {missing} too", "error")
    where = f"{wanted} at {urlsplit(url).netloc.rpartition('@')[2]}"
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    request = urllib.request.Request(url.rstrip("/") + "/models", headers={"Authorization": f"Bearer {key}"} if key else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=LANGUAGE_MODEL_TIMEOUT) as answer:  # noqa: S310
            offered = _offered(answer.read(MODELS_BYTES))
            status = answer.status
    except urllib.error.HTTPError as error:
        advice = "check FORGE_LLM_API_KEY" if error.code in (401, 403) else "check FORGE_LLM_BASE_URL; it usually ends in /v1"
        return found("language model", where, f"answers {error.code}; {advice}", "warning")
    except (OSError, ValueError, HTTPException) as error:
        return found("language model", where, f"does not answer ({getattr(error, 'reason', error)}); Forge works without one", "warning")
    if offered and wanted not in offered:
        some = ", ".join(offered[:5]) + (", ..." if len(offered) > 5 else "")
        return found("language model", where, f"answers, but offers no {wanted}; it offers {some}; set FORGE_LLM_MODEL", "warning")
    return found("language model", where, f"answers ({status}){' and offers this model' if offered else ''}")


def _offered(body: bytes) -> list[str]:
    """The models of an answer to /models; none where it is no such list."""
    try:
        return [str(entry["id"]) for entry in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


EXAMINATIONS: dict[Callable[[Settings], list[Finding]], tuple[str, ...]] = {
    home: ("home",),
    database: ("home", "database_url"),
    object_store: ("home", "object_store_url", "s3_endpoint"),
    embedder: ("embedder", "embedder_backend"),
    readers: (),
    parser_sandbox: (),
    machine: (),
    language_model: ("llm_base_url", "llm_model", "llm_api_key"),
}
"""In their order, each with the settings that it depends on."""


def _pandoc() -> str | None:
    """The program of pypandoc_binary, found without importing it, else the one of the system."""
    package = importlib.util.find_spec("pypandoc")
    if package and package.origin:
        carried = Path(package.origin).parent / "files" / "pandoc"
        if carried.is_file():
            return str(carried)
    return shutil.which("pandoc")


def _first_line(program: str, *arguments: str) -> str:
    return _output(program, *arguments).partition("\n")[0].strip()


def _output(program: str, *arguments: str) -> str:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout or done.stderr) if done.returncode == 0 else ""


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB"
