"""A reader of pickles that builds plain containers only, and calls nothing.

Python's own unpickler runs whatever a file names, and believes whatever length it claims. This one is a small
stack machine over the opcodes that `pickletools` lists: numbers, text, bytes, lists, tuples and dicts. What
else a file may name is acted out by a subclass, so that nothing is imported, and nothing is allocated before
the bytes for it have been seen in the file.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable, Mapping
from typing import IO, Any, ClassVar

from qvm_verify.exits import InputError

MOST_OPCODES = 2_000_000  # CIFAR-100, the largest official pickle, takes about 200,000
MOST_PLACES = 2**32  # of the memo, and for keys; beyond, numbers could be chosen that a dict is slow with
LITERALS = {
    *("INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}


class RefusedPickleError(Exception):
    """What the pickle asks for is not done; the message says what it was, and at which byte."""


class CorruptPickleError(Exception):
    """The bytes are no pickle to their end; the message says after which byte."""


class _Mark:
    pass


class Machine:
    """The stack and the memo of a pickle; a subclass says which names it acts out, and how."""

    names: ClassVar[Mapping[str, Any]] = {}
    holds = "plain container"

    def __init__(self, budget: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = budget  # bytes that may still be copied: the file's length pays for each byte once

    def run(self, file: IO[bytes]) -> Any:
        """Return what the pickle that begins here holds. `file.read` must allocate no more than there is.

        Raises RefusedPickleError, or CorruptPickleError where it is truncated or no pickle.
        """
        position = opcodes = 0
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of strange escapes in a corrupt name
                for opcode, argument, at in pickletools.genops(file):
                    position, opcodes = at or 0, opcodes + 1
                    if opcodes > MOST_OPCODES:
                        raise RefusedPickleError(f"has more than {MOST_OPCODES} opcodes")
                    self.step(opcode.name, argument)
        except RefusedPickleError as refusal:
            raise RefusedPickleError(f"{refusal} at byte {position}") from refusal
        except InputError:  # what a subclass says of the file around the pickle
            raise
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            raise CorruptPickleError(f"truncated or corrupt after byte {position}") from error
        return self.stack[-1] if self.stack else None

    def step(self, name: str, argument: Any) -> None:
        """Do one opcode. Raises RefusedPickleError, or any error of Python's where the stack is corrupt."""
        if name in LITERALS:
            self.stack.append(argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name]())
        elif name in STEPS:
            STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise RefusedPickleError(f"uses the opcode {name}, which no {self.holds} needs,")

    def call(self) -> None:
        """Act out a call of something that `names` lists."""
        raise RefusedPickleError("calls something")

    def build(self) -> None:
        """Act out the setting of a state."""
        raise RefusedPickleError("sets the state of something")

    def remember(self, key: int | None) -> None:
        """Put what is on the stack into the memo."""
        place = len(self.memo) if key is None else key
        if not 0 <= place < MOST_PLACES:
            raise RefusedPickleError("remembers something at a place beyond 2^32")
        self.memo[place] = self.stack[-1]

    def recall(self, key: int) -> None:
        """Put what is in the memo onto the stack."""
        self.stack.append(self.memo[key])

    def to_mark(self) -> list[Any]:
        """Remove and return what lies above the last mark, and the mark."""
        for depth in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[depth], _Mark):
                items = self.stack[depth + 1 :]
                del self.stack[depth:]
                return items
        raise LookupError("no mark on the stack")

    def pop(self, count: int) -> list[Any]:
        """Remove and return the last `count` things."""
        if len(self.stack) < count:
            raise LookupError("the stack is empty")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def extend(self, items: list[Any]) -> None:
        """Append to the list on the stack."""
        if not isinstance(self.stack[-1], list):
            raise TypeError("items for what is no list")
        self.stack[-1].extend(items)

    def fill(self, items: list[Any]) -> None:
        """Put keys and values into the dict on the stack."""
        target = self.stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise TypeError("items for what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            small = type(key) is int and 0 <= key < MOST_PLACES
            if not small and not isinstance(key, str | bytes):  # of text nobody can choose the hash
                raise RefusedPickleError("has a key that is neither text nor a small number")
            target[key] = value

    def dictionary(self) -> None:
        """Make a dict of what lies above the last mark."""
        items = self.to_mark()
        self.stack.append({})
        self.fill(items)

    def name(self, module_and_name: str) -> None:
        """Put what a name stands for onto the stack."""
        if module_and_name not in self.names:
            name = module_and_name[:80].replace(" ", ".")
            raise RefusedPickleError(f"names {name!r}, which is no {self.holds} and may run code,")
        self.stack.append(self.names[module_and_name])

    def to_bytes(self, text: str) -> bytes:
        """Return the bytes that text of the codec latin-1 stands for."""
        self.budget -= len(text)
        if self.budget < 0:
            raise RefusedPickleError("copies more bytes than it has")
        return text.encode("latin-1")


def to_text(value: Any) -> str:
    """Return text as Python 2 or 3 wrote it."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "MARK": _Mark,
}
STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "PUT": Machine.remember,
    "BINPUT": Machine.remember,
    "LONG_BINPUT": Machine.remember,
    "MEMOIZE": Machine.remember,
    "GET": Machine.recall,
    "BINGET": Machine.recall,
    "LONG_BINGET": Machine.recall,
    "LIST": lambda machine, _: machine.stack.append(machine.to_mark()),
    "DICT": lambda machine, _: machine.dictionary(),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.to_mark())),
    "TUPLE1": lambda machine, _: machine.stack.append(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.stack.append(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.stack.append(tuple(machine.pop(3))),
    "APPEND": lambda machine, _: machine.extend(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.to_mark()),
    "SETITEM": lambda machine, _: machine.fill(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.fill(machine.to_mark()),
    "GLOBAL": Machine.name,
    "STACK_GLOBAL": lambda machine, _: machine.name(" ".join(map(to_text, machine.pop(2)))),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.build(),
}
