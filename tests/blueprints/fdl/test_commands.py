"""`forge fdl` as a person uses it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from forge_app.cli import main
from tests.blueprints.fdl.architectures import FOLDER

LLAMA = str(FOLDER / "llama.fdl")


def test_check_names_the_file_the_line_and_the_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fdl", "check", LLAMA])
    assert "3 units, 1 model, sizes to give: b, t, d, g, r, j, f, v, L" in capsys.readouterr().out
    wrong = tmp_path / "wrong.fdl"
    wrong.write_text("fragment F(x: f32[d]) -> f32[d]:\n  y[d] = z[d]\n  return y\n")
    with pytest.raises(SystemExit) as ended:
        main(["fdl", "check", str(wrong)])
    assert ended.value.code == 2
    assert f"forge: {wrong}:2:10: nothing is named z here" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"\x00\x00", "\u00e9\n".encode(), b"axis"])
def test_no_file_gives_a_traceback(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "any.fdl"
    file.write_bytes(content)
    if not content:
        main(["fdl", "check", str(file)])
        return
    with pytest.raises(SystemExit) as ended:
        main(["fdl", "check", str(file)])
    assert ended.value.code == 2
    assert str(file) in capsys.readouterr().err


def test_fmt_writes_the_file_or_says_that_it_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Path(LLAMA).read_text()
    file = tmp_path / "llama.fdl"
    file.write_text(right.replace(" * ", "*"))
    with pytest.raises(SystemExit):
        main(["fdl", "fmt", "--check", str(file)])
    assert "is not formatted" in capsys.readouterr().err
    main(["fdl", "fmt", str(file)])
    assert file.read_text() == right
    monkeypatch.setattr("sys.stdin", io.StringIO("axis   b\n"))
    capsys.readouterr()
    main(["fdl", "fmt", "-"])
    assert capsys.readouterr().out == "axis b\n"


def test_files_are_written_whole_and_kept_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Modes and links stay; where the disk refuses, the old text is still there and nothing else."""
    right = Path(LLAMA).read_text()
    file, link = tmp_path / "kept.fdl", tmp_path / "link.fdl"
    file.write_text(right.replace(" * ", "*"))
    file.chmod(0o600)
    link.symlink_to(file)
    main(["fdl", "fmt", str(link)])
    assert link.is_symlink() and file.read_text() == right and file.stat().st_mode & 0o777 == 0o600
    (tmp_path / "out" / "module_jax.py").mkdir(parents=True)
    with pytest.raises(SystemExit):
        main(["fdl", "compile", LLAMA, "--to", "jax", "--output", str(tmp_path / "out")])
    assert "module_jax.py cannot be written: it is no file" in capsys.readouterr().err
    assert {one.name for one in tmp_path.rglob("*")} == {"kept.fdl", "link.fdl", "out", "module_jax.py"}


def test_what_has_no_end_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fdl", "check", "/dev/zero"])
    assert "/dev/zero has more than 400,000 characters" in capsys.readouterr().err


def test_what_is_printed_runs_without_forge(tmp_path: Path) -> None:
    main(["fdl", "compile", LLAMA, "--to", "torch", "--output", str(tmp_path), "--set", "theta=5000"])
    main(["fdl", "compile", LLAMA, "--to", "jax", "--output", str(tmp_path)])
    script = (
        "import sys, torch, module_torch, module_jax; size = dict(d=8, g=1, r=2, j=2, f=8, v=9, L=1);"
        "model = module_torch.LM(module_torch.Sizes(**size)); print(model(torch.tensor([[1, 2, 3]])).shape);"
        "assert not any(name.startswith('forge') for name in sys.modules)"
    )
    made = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.stdout.strip() == "torch.Size([1, 3, 9])", made.stderr
    assert "theta = 5000\n" in (tmp_path / "module_torch.py").read_text()


def test_an_unknown_language_or_constant_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in ((["--to", "torhc"], "did you mean torch?"), (["--to", "jax", "--set", "thetta=1"], "did you mean theta?"),
                            (["--to", "jax", "--set", "theta"], "expected NAME=NUMBER")):  # fmt: skip
        with pytest.raises(SystemExit):
            main(["fdl", "compile", LLAMA, *arguments])
        assert told in capsys.readouterr().err


NORM = 'fragment F(x: f32[b,d]) -> f32[b,d]:\n  param w: f32[d] from "w"\n  y[b,d] = w[d] * sin(x[b,d])\n  return y\n'


def test_test_runs_the_back_ends_that_are_here_and_names_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "norm.fdl"
    file.write_text(NORM)
    monkeypatch.setenv("PATH", str(tmp_path))
    main(["fdl", "test", str(file)])
    told = capsys.readouterr()
    assert "torch and jax" in told.out and "gradients of torch and jax" in told.out and "DIFFERENT" not in told.out
    assert "cpp" not in told.out and "cpp is left out: no C++ compiler is here; install g++" in told.err
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(SystemExit) as ended:
        main(["fdl", "test", str(file)])
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert "only torch is there; jax is left out: JAX is not installed; pip install" in told.err and "cpp is left out" in told.err


def test_an_unknown_back_end_or_one_alone_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for names, told in (
        (["torhc"], "did you mean torch?"),
        (["latex"], "there are torch, jax, cpp"),
        (["torch"], "name another by --backend"),
    ):
        with pytest.raises(SystemExit):
            main(["fdl", "test", LLAMA, *(word for name in names for word in ("--backend", name))])
        assert told in capsys.readouterr().err
