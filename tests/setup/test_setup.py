"""python3 -m tools.setup: what it installs, when it installs nothing, and how it recovers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.setup.conftest import PROJECT, Checkout
from tools.torch_build import has_nvidia_gpu


def test_the_first_call_installs_torch_packages_and_forge_in_this_order(checkout: Checkout) -> None:
    done = checkout.set_up("test")
    assert done.returncode == 0, done.stdout + done.stderr
    torch, packages, forge = checkout.commands()
    assert torch.endswith("torch==2.13.0+cpu")
    assert "--no-deps" in torch
    assert f"--constraint {checkout.root / 'constraints.txt'}" in packages
    assert {"dagster>=1.13,<1.14", "haystack-ai==3.4.0", "pytest", "hatchling"} <= set(packages.split())
    assert "gradio" not in packages
    assert forge.endswith(f"--no-deps --no-build-isolation --editable {checkout.root}")
    assert all(command.startswith(f"pip --python {checkout.root}/.venv/bin/python install ") for command in (torch, packages, forge))


def test_the_environment_is_made_without_ensurepip(checkout: Checkout) -> None:
    assert checkout.set_up().returncode == 0
    assert not list((checkout.root / ".venv" / "lib").glob("python*/site-packages/pip"))


def test_a_second_call_installs_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.set_up("test")
    checkout.commands()
    second = checkout.set_up("test")
    assert (second.returncode, second.stdout, second.stderr, checkout.commands()) == (0, "", "", [])


def test_more_extras_are_added_and_fewer_take_nothing_away(checkout: Checkout) -> None:
    checkout.set_up("test")
    checkout.commands()
    checkout.set_up("fast")
    packages = checkout.commands()[1]
    assert {"openvino", "pytest"} <= set(packages.split())
    for extras in ([], ["test"], ["test", "fast"]):
        checkout.set_up(*extras)
    assert checkout.commands() == []


def test_only_what_decides_the_installation_makes_it_run_again(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.commands()
    project = checkout.root / "pyproject.toml"
    project.write_text(project.read_text().replace("line-length = 140", "line-length = 100"))
    checkout.set_up()
    assert checkout.commands() == []
    with (checkout.root / "constraints.txt").open("a") as file:
        file.write("another==1.0\n")
    checkout.set_up()
    assert len(checkout.commands()) == 3


def test_uv_is_asked_for_a_cpu_build_only_when_the_index_has_none(checkout: Checkout) -> None:
    done = checkout.set_up(FAKE_PIP_REFUSES="+cpu")
    by_pip, fetch_uv, probe, install, *_ = checkout.commands()
    assert by_pip.endswith("torch==2.13.0+cpu")
    assert "uv==" in fetch_uv
    assert probe == f"{install} --dry-run"
    assert "--torch-backend cpu --no-deps torch==2.13.0" in install
    assert "torch==2.13.0, the CPU build" in done.stdout


@pytest.mark.parametrize("refused", [{"FAKE_PIP_REFUSES": "+cpu,uv=="}, {"FAKE_PIP_REFUSES": "+cpu", "FAKE_UV_EXIT": "2"}])
def test_where_nobody_offers_a_cpu_build_the_plain_one_comes_and_it_is_said(checkout: Checkout, refused: dict[str, str]) -> None:
    done = checkout.set_up(**refused)
    assert done.returncode == 0
    assert "no CPU build is offered" in done.stdout
    assert "torch==2.13.0" in checkout.commands()[-2].split()


def test_a_machine_with_a_gpu_takes_the_plain_build_without_a_probe(checkout: Checkout) -> None:
    assert checkout.set_up(FORGE_TORCH_BUILD="cuda").returncode == 0
    assert not any("+cpu" in command or "uv" in command.split() for command in checkout.commands())


def test_an_index_named_by_the_user_is_asked_for_torch_alone(checkout: Checkout) -> None:
    checkout.set_up(FORGE_TORCH_INDEX="file:///mirror")
    torch, packages, _ = checkout.commands()
    assert "--extra-index-url file:///mirror" in torch
    assert "mirror" not in packages


def test_a_failure_shows_the_end_of_the_log_and_the_next_call_goes_on(checkout: Checkout) -> None:
    failed = checkout.set_up(FAKE_PIP_REFUSES="dagster")
    assert failed.returncode == 1
    assert "trouble 30" in failed.stderr
    assert "trouble 10" not in failed.stderr
    assert "run the same command again" in failed.stderr
    kept = checkout.root / ".venv" / "kept"
    kept.touch()
    assert checkout.set_up().returncode == 0
    assert kept.exists()


def test_a_killed_set_up_is_done_anew(checkout: Checkout) -> None:
    process = subprocess.Popen(checkout.command, cwd=checkout.root, env=checkout.env | {"FAKE_PIP_HANGS": "dagster"}, process_group=0)
    _await_line(checkout.log, "dagster")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    half = checkout.root / ".venv" / "half-installed"
    half.touch()
    assert checkout.set_up().returncode == 0
    assert not half.exists()


def test_two_at_once_install_once(checkout: Checkout) -> None:
    both = [subprocess.Popen(checkout.command, cwd=checkout.root, env=checkout.env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(checkout.commands()) == 3
    assert sum("waiting for it" in words for words in said) <= 1


def test_a_moved_checkout_gets_an_environment_of_its_own(checkout: Checkout) -> None:
    checkout.set_up()
    checkout.commands()
    moved = checkout.root.with_name("elsewhere")
    shutil.move(checkout.root, moved)
    checkout.root = moved
    assert checkout.set_up().returncode == 0
    assert len(checkout.commands()) == 3
    assert str(moved) in (moved / ".venv" / "bin" / "activate").read_text()


@pytest.mark.parametrize(
    ("version", "sentence"), [("", "has no pip; install it"), ("pip 22.0.2 from here", "pip 22.3 or newer is needed")], ids=["none", "old"]
)
def test_a_missing_or_old_pip_is_said_in_a_sentence(checkout: Checkout, version: str, sentence: str) -> None:
    done = checkout.set_up(FAKE_PIP_VERSION=version)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_extra_names_the_known_ones(checkout: Checkout) -> None:
    done = checkout.set_up("gpu")
    assert done.returncode == 2
    assert "there is no extra gpu" in done.stderr
    assert "models" in done.stderr


def test_an_old_python_is_told_so() -> None:
    code = "import sys; sys.version_info = (3, 9, 2); import tools"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Forge needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gpu_is_known_by_its_device_or_by_a_working_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_nvidia_gpu([tmp_path / "nvidia0"])
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    assert not has_nvidia_gpu([tmp_path / "nvidia0"])
    program.write_text("#!/bin/sh\nexit 0\n")
    assert has_nvidia_gpu([tmp_path / "nvidia0"])
    program.unlink()
    (tmp_path / "nvidia0").touch()
    assert has_nvidia_gpu([tmp_path / "nvidia0"])


def _await_line(file: Path, word: str) -> None:
    deadline = time.monotonic() + 20
    while not (file.exists() and word in file.read_text()):
        assert time.monotonic() < deadline, f"no {word} in {file}"
        time.sleep(0.02)
