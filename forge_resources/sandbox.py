"""What the kernel is asked to forbid a parser process and all its children: network, files, privileges. No root is needed.

`enter(folder)` confines the calling process for good and tells which of the measures hold; what a kernel lacks is left out, never an
error. Run as a program, with a folder, it confines itself and prints that list, which `forge doctor` shows.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

NAMESPACE, SYSCALLS, FILES = "own network namespace", "no sockets", "no files"
"""The measures: a network namespace without devices, a filter on system calls, Landlock."""
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2

# System calls that parsing never needs, by number: sockets, other processes, name spaces, mounts, the kernel itself.
_X86 = (41, 42, 49, 50, 101, 155, 161, 165, 166, 175, 246, 248, 249, 250, 272, 298, 304, 308, 310, 311, 313, 321, 323)
_ARM = (198, 203, 200, 201, 117, 41, 51, 40, 39, 105, 104, 217, 218, 219, 97, 241, 265, 268, 270, 271, 273, 280, 282)
_BOTH = (425, 428, 429, 430, 431, 432, 433, 438, 442)  # io_uring, the new mount calls, pidfd_getfd
_MACHINES = {"x86_64": (0xC000003E, _X86), "aarch64": (0xC00000B7, _ARM)}
_REFUSE, _ALLOW = 0x00050000 | 13, 0x7FFF0000  # EACCES

# Landlock's rights.
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_LOOK = _EXECUTE | _READ | _LIST
_READABLE = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/opt", "/nix/store", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/fonts", "/etc/alternatives", "/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf", "/dev/null", "/dev/zero",
    "/dev/urandom", "/dev/random", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys/vm", "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
)  # fmt: skip


def enter(folder: Path) -> list[str]:
    """Confines this process; only `folder` stays writable. Returns the measures that hold. Before any thread is started."""
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    held = [NAMESPACE] if _namespace(libc) else []
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        held += [FILES] if _files(libc, folder) else []
        held += [SYSCALLS] if _system_calls(libc) else []
    return held


def _namespace(libc: ctypes.CDLL) -> bool:
    """A network name space of its own: by privilege, or inside a user name space, whose powers are then given up."""
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(line)
    except OSError:
        pass  # it then has no name inside, which harms nothing
    nothing = (ctypes.c_uint32 * 6)()
    libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), nothing)
    return True


def _system_calls(libc: ctypes.CDLL) -> bool:
    """A filter that answers EACCES to what parsing never needs, and to all calls of a foreign architecture."""
    if platform.machine() not in _MACHINES or sys.maxsize < 2**32:
        return False
    architecture, own = _MACHINES[platform.machine()]
    denied = (*own, *_BOTH)
    end = len(denied) + 1  # instructions from the first comparison to "refuse"
    program = [(0x20, 0, 0, 4), (0x15, 0, end + 2, architecture), (0x20, 0, 0, 0), (0x35, end, 0, 0x40000000)]
    program += [(0x15, end - 1 - place, 0, number) for place, number in enumerate(denied)]
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    return int(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.c_ulong(ctypes.addressof(head)), 0, 0)) == 0


def _files(libc: ctypes.CDLL, folder: Path) -> bool:
    """Landlock: programs and libraries can be read, `folder` written, nothing else opened; no TCP, no signals to others."""
    version = libc.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    if version < 1:
        return False
    every = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    fields = (every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = libc.syscall(444, struct.pack("QQQ", *fields), ctypes.c_size_t(size), ctypes.c_uint(0))
    if rules < 0:
        return False
    for path, rights in _allowed(folder, every):
        _allow(libc, rules, path, rights & every)
    done = int(libc.syscall(446, ctypes.c_int(rules), ctypes.c_uint(0))) == 0
    os.close(rules)
    return done


def _allowed(folder: Path, every: int) -> Iterator[tuple[str, int]]:
    """(path, rights). Code may lie anywhere on sys.path; a folder there that is not made for code alone is listed, not read."""
    yield str(folder), every
    yield "/dev/null", _READ | _WRITE
    chosen = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    code = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values(), *chosen]
    code += [entry for entry in sys.path if entry.rstrip("/").endswith(("site-packages", "dist-packages"))]
    for package in ("forge_assets", "forge_resources"):
        spec = find_spec(package)
        code += list(spec.submodule_search_locations or []) if spec else []
    data = os.environ.get("TESSDATA_PREFIX")
    for path in dict.fromkeys([*_READABLE, *code, *([data] if data else [])]):
        yield path, _LOOK
    for path in sys.path:
        yield path, _LIST


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(handle):  # noqa: PTH112 - of a handle
            rights &= _EXECUTE | _WRITE | _READ
        libc.syscall(445, ctypes.c_int(rules), ctypes.c_int(1), struct.pack("=Qi", rights, handle), ctypes.c_uint(0))
    finally:
        os.close(handle)


@lru_cache(maxsize=1)
def measures() -> tuple[str, ...]:
    """Those that hold on this machine, found by a child that confines itself."""
    with tempfile.TemporaryDirectory(prefix="forge-parser-") as folder:
        command = [sys.executable, "-P", "-m", "forge_resources.sandbox", folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
            return tuple(json.loads(done.stdout))
        except (OSError, subprocess.SubprocessError, ValueError):
            return ()


if __name__ == "__main__":
    print(json.dumps(enter(Path(sys.argv[1]))))
