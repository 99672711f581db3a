"""Gradio without what it does beside serving a page:

- the type stubs that it works out for editors, and compares with those beside its components, at each import: half of what that
  takes, and a host waits for it before the first page is served;
- on a Space, a second server on port 7887 of every interface, which writes whatever code it is sent into the working folder and
  runs it ("hot reload"; who changes a Space pushes to it). For it ``spaces`` asks at each import for the module's parent while it
  holds the lock of all imports, so that two threads that import at once can wait for each other for ever, the page with them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

#: Module -> the name there that decides it, and what stands for it (Gradio 6.31.0).
INSTEAD: dict[str, tuple[str, Callable[..., None]]] = {
    "gradio.component_meta": ("create_or_modify_pyi", lambda *_: None),
    "gradio.http_server": ("get_space", lambda: None),
}


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        name, put = INSTEAD[module.__name__]
        if hasattr(module, name):
            setattr(module, name, put)


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in INSTEAD:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(found.loader.name, found.loader.path)
        return found


def prepare() -> None:
    """Before Gradio is imported, by whatever imports it. What is there already is not changed."""
    if not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
