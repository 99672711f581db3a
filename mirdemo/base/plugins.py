"""What other installed packages bring: modules named by entry points (PyPA's entry-points specification).

They are imported when somebody first asks for what they bring, once in a process. One that cannot be used is told in a
sentence and left out: a stranger's fault takes nothing of ours down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from mirdemo.base.sentences import Sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plugin:
    """A module of another package. package: the distribution's name, as pip knows it"""

    package: str
    module: Any


@cache
def plugged(group: str, check: Callable[[Any], None]) -> tuple[Plugin, ...]:
    """The modules under an entry-point group, in the order of their entry points' names.

    check: raises ValueError, with a few words, for a module that is not as the group asks
    What is left out is logged here as a warning, a ``Sentence``, once; the command line says it in the user's language.
    """
    from importlib.metadata import entry_points

    plugins: list[Plugin] = []
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        package = "A package" if point.dist is None else point.dist.name
        try:
            module = point.load()
            check(module)
        except (Exception, SystemExit) as error:  # another package's code
            values = {"package": package, "module": point.value[:100], "reason": reason(error)}
            log.warning(
                "%s",
                Sentence(
                    "{package} brings {module}, which cannot be used and is left out ({reason}). Mend that package or "
                    "uninstall it.",
                    "base.plugin",
                    values,
                ),
            )
        else:
            plugins.append(Plugin(package, module))
    return tuple(plugins)


def reason(error: BaseException) -> str:
    """What an error of another package's code says, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
