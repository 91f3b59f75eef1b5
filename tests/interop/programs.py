"""Programs of this project that run beside a case, and what they print."""

import os
import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from typing import IO

WAIT_SECONDS = 20.0


class Output:
    """What a program printed so far, read by a thread of its own so that no pipe is ever full."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe, self._bytes, self._has_ended = pipe, bytearray(), False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._pipe.fileno(), 1 << 20):
            with self._changed:
                self._bytes += data
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits until what was printed matches."""
        with self._changed:
            self._changed.wait_for(lambda: self._find(pattern) or self._has_ended, WAIT_SECONDS)
            found = self._find(pattern)
            assert found, f"'{pattern}' did not come: {self._bytes.decode(errors='replace')}"
            return found

    def _find(self, pattern: str) -> re.Match[str] | None:
        return re.search(pattern, self._bytes.decode(errors="replace"))

    def finish(self) -> bytes:
        """All of it, once the program has ended."""
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive(), "the program's output did not end"
        return bytes(self._bytes)


@dataclass(frozen=True)
class Files:
    """A program's input, `zeros` bytes behind `data`, and what becomes of its standard output."""

    data: bytes = b""
    zeros: int = 0
    out: str = "read"  # or "unread" until somebody asks for it, or "dropped"


class Program:
    """One that runs."""

    def __init__(self, words: list[str], environment: dict[str, str], files: Files) -> None:
        pipe = subprocess.PIPE
        out = subprocess.DEVNULL if files.out == "dropped" else pipe
        with tempfile.TemporaryFile() as file:
            file.write(files.data)
            file.truncate(len(files.data) + files.zeros)
            file.seek(0)
            self.process = subprocess.Popen(
                words, env=environment, stdin=file, stdout=out, stderr=pipe, bufsize=0
            )
        assert self.process.stderr
        self.err = Output(self.process.stderr)
        self._out: Output | None = None
        if files.out == "read":
            assert self.out

    @property
    def out(self) -> Output:
        assert self.process.stdout
        self._out = self._out or Output(self.process.stdout)
        return self._out

    def address(self) -> tuple[str, int]:
        """Where it says that it listens."""
        found = self.err.wait_for(r"listens at (\S+):(\d+)\n")
        return found[1], int(found[2])

    def finish(self) -> tuple[int, str]:
        """Waits for its end. Returns its status and what it said on standard error."""
        status = self.process.wait(WAIT_SECONDS)
        return status, self.err.finish().decode()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
