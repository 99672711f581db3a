"""One import at a time, for programs with threads.

Much is imported where it is first needed, so that a page or a help text is there soon; in a server that is in several threads at
once. Python gives each module a lock of its own. While one thread imports a package that imports a module of itself, another
that imports that module holds what the first needs and waits for the rest: one of the two fails, with ``_DeadlockError`` or with a
name that "cannot be imported from a partially initialized module" (Python 3.11 to 3.13; seen in scipy and in rooms of ours),
and an act with it that had nothing wrong.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

#: Seconds after which an import goes on beside another one: what waits for each other outside this lock does not wait for ever.
PATIENCE = 60.0


class _OneAtATime:
    """Calls what imports; one thread at a time, but for what is there already and for threads of an event loop, which nothing
    may hold up."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._import, self._import_module = builtins.__import__, importlib.import_module
        if hasattr(os, "register_at_fork"):  # whoever holds it is not there in the child
            os.register_at_fork(after_in_child=self._anew)

    def _anew(self) -> None:
        self._lock = threading.RLock()

    def by_statement(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """In the place of ``builtins.__import__``."""
        given = name, globals, locals, fromlist, level
        if _is_there(_absolute(name, globals, level), fromlist):
            return self._import(*given)
        return self._alone(self._import, *given)

    def by_name(self, name: str, package: str | None = None) -> ModuleType:
        """In the place of ``importlib.import_module``."""
        if not name.startswith(".") and _is_there(name, ()):
            return self._import_module(name, package)
        return self._alone(self._import_module, name, package)

    def _alone(self, plain: Callable[..., ModuleType], *given: Any) -> ModuleType:
        if _in_a_loop():
            return plain(*given)
        lock = self._lock
        held = lock.acquire(timeout=PATIENCE)
        try:
            return plain(*given)
        finally:
            if held:
                lock.release()


def one_at_a_time() -> None:
    """For a program, before it starts threads; again it changes nothing. Not for the library, whose caller has other threads."""
    if not isinstance(getattr(builtins.__import__, "__self__", None), _OneAtATime):
        gate = _OneAtATime()
        builtins.__import__, importlib.import_module = gate.by_statement, gate.by_name


def _absolute(name: str, globals: Mapping[str, Any] | None, level: int) -> str:
    if not level:
        return name
    package = str((globals or {}).get("__package__") or "")
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else base


def _is_there(name: str, fromlist: Sequence[str] | None) -> bool:
    """Whether a module, and what is asked of it, is loaded and whole. What a module makes only when it is asked for is not."""
    module = sys.modules.get(name)
    if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
        return False
    return not fromlist or all(one in getattr(module, "__dict__", ()) for one in fromlist)


def _in_a_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except (RuntimeError, AttributeError):  # none in this thread; not whole yet
        return False
