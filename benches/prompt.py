#!/usr/bin/env python3
"""From the start of `provisor repl --sandbox` in a pseudo-terminal until its prompt is there, in milliseconds."""
import os
import pathlib
import pty
import statistics
import sys
import tempfile
import time

program = sys.argv[1] if len(sys.argv) > 1 else str(pathlib.Path(__file__).parent.parent / "target/release/provisor")
os.environ["TERM"] = "xterm"


def start():
    begun = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        os.execv(program, [program, "repl", "--sandbox"])
    shown = b""
    while b"sandbox>" not in shown:
        shown += os.read(terminal, 4096)
    taken = (time.monotonic() - begun) * 1000
    os.write(terminal, b"\x04")
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass  # The other side is gone.
    os.waitpid(child, 0)
    return taken


with tempfile.TemporaryDirectory() as home:
    os.environ["PROVISOR_HOME"] = home
    start()
    times = [start() for _ in range(30)]
print(f"mean {statistics.mean(times):.1f}, from {min(times):.1f} to {max(times):.1f}")
