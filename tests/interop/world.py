"""What a case needs: a name, keys in a folder of its own, and both ways to meet the C++ side."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from peer.certificate import Certificate, Identity, read_authorities, read_key_file
from peer.frames import Settings
from peer.handshake import Party, Preamble, Trust
from peer.session import Listener, Session, dial
from programs import WAIT_SECONDS, Files, Program

Case = Callable[["World"], None]
CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    """Gives a case its name, a fact. It stands alone in its line: CMake reads it from there."""

    def register(function: Case) -> Case:
        assert name not in CASES, f"two cases are called '{name}'"
        CASES[name] = function
        return function

    return register


def check_told(text: str, *words: str) -> None:
    """A refusal says what was wrong to those who have to mend it."""
    missing = [word for word in words if word not in text]
    assert not missing, f"{missing} is not said in: {text}"


def long_case(name: str) -> Callable[[Case], Case]:
    """One that takes more than a few seconds: it runs at night."""
    return case(name)


class World:
    """The C++ side is alice, with a key that `tube key new` made; the Python side is bob."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="interop-"))
        self._environment = {"TUBING_KEYS": str(self.folder)}
        self._running: list[Program] = []
        self.tube("key", "new", "alice")
        self.authority = read_key_file(self.folder / "ca.key")
        self.authorities = read_authorities(self.folder / "ca.pub")
        self.bob = self.party(Certificate("bob"))

    def close(self) -> None:
        for program in self._running:
            program.kill()
        shutil.rmtree(self.folder)

    def party(
        self, says: Certificate, authority: Identity | None = None, not_after: int | None = None
    ) -> Party:
        """A new key, of which an authority says all that `says` does, but for the subject."""
        identity = Identity()
        certificate = replace(says, subject=identity.public).issue(authority or self.authority)
        return Party(identity, certificate, not_after)

    # The programs.

    def tube(self, *words: str) -> str:
        """Runs `tube` to its end. Returns what it printed."""
        command = [str(self._programs / "tube"), *words]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, timeout=WAIT_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self, *words: str, files: Files = Files()) -> Program:
        """Starts the program that the first word names."""
        command = [str(self._programs / words[0]), *words[1:]]
        self._running.append(Program(command, self._environment, files))
        return self._running[-1]

    def pipe(self, *words: str, files: Files = Files()) -> Program:
        """`tube pipe` of alice, which listens."""
        listen = ["tube", "pipe", "--listen", "127.0.0.1:0", "--as", "alice"]
        return self.start(*listen, *words, files=files)

    def server(self, *words: str) -> Program:
        return self.start("interop_server", "serve", "alice", *words)

    # The Python side.

    def dial(
        self,
        program: Program,
        me: Party | None = None,
        offer: Preamble = Preamble(),
        psk: bytes | None = None,
        mine: Settings = Settings(),
    ) -> Session:
        trust = Trust(self.authorities, "alice")
        return dial(program.address(), me or self.bob, trust, offer, psk, mine)

    def listener(self, me: Party | None = None, psk: bytes | None = None) -> Listener:
        return Listener(me or self.bob, Trust(self.authorities), psk)
