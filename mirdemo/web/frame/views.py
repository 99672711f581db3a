"""The regions of a page: where each stands, what fills it, and what every open page has been sent of them.

Each view is a template and a function from the visitor to what fills it. After an act every view in sight is rendered again, and
those whose text changed are sent; so a language switch, an upload and a finished job all redraw the page in the same way, nothing
else on the page moves, and a tab never has to know which other tab shows its numbers.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from mirdemo.base.once import Once
from mirdemo.web.frame import wellformed
from mirdemo.web.frame.session import Shown, Visitor
from mirdemo.web.frame.templating import render
from mirdemo.words.glossary import mark
from mirdemo.words.language import Speaker

log = logging.getLogger(__name__)

#: Numbers every drawing. Answers to two acts may overtake each other on their way: the page keeps the later one.
drawings = itertools.count(1)

#: What fills a view's template: from a visitor and the language to speak.
Context = Callable[[Visitor, Speaker], Mapping[str, Any]]
#: What a view's text depends on besides the language, where that is nothing of one visitor's; None where it is.
Of = Callable[[Visitor, Speaker], Hashable | None]
#: Texts of views kept that many visitors see, of up to 200 kB each, and as much with their terms.
MOST_TEXTS = 64


@dataclass(frozen=True)
class View:
    """A region of the page: its template, what fills it, the tab it stands in (None: always in sight), and what its text
    is of, where many visitors see the same."""

    template: str
    context: Context
    tab: str | None
    of: Of | None = None


@dataclass(frozen=True)
class _Drawing:
    """A view's text, and what it is known by. Of a text that many see, both of what follows are made once."""

    text: str
    language: str

    @cached_property
    def known_by(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def sent(self) -> str:
        """As it goes to a page: every term of the glossary opens its sentence."""
        return str(mark(Markup(self.text), self.language))


class Views:
    """Those of one page. all: by name;  standing: where each stands, as HTML;  tabs: in the order of the page"""

    def __init__(self) -> None:
        self.all: dict[str, View] = {}
        self.standing: list[str] = []
        self.tabs: list[str] = []
        self._within: str | None = None
        self._shared: Once[tuple[str, str, Hashable], _Drawing] = Once(MOST_TEXTS)

    @contextmanager
    def panel(self, tab: str) -> Iterator[None]:
        """The views put on the page within are drawn only while this tab is open."""
        self.tabs.append(tab)
        self._within = tab
        self.standing.append(f'<div class="mir-panel" id="panel-{tab}">')
        yield
        self.standing.append("</div>")
        self._within = None

    def put(
        self,
        name: str,
        context: Context,
        *,
        template: str | None = None,
        of: Of | None = None,
    ) -> None:
        """A region of the page, drawn from ``templates/<template>.html`` (its name's, if not given). Call it where the
        region should stand.

        context: quick (milliseconds) and without side effects, for it is called after every act
        of: what the text depends on besides the language, where many visitors see the same: it is rendered once for all of
            them. None for a visitor whose text has anything of their own
        """
        self.all[name] = View(f"{template or name}.html", context, self._within, of)
        # drawn by page.js, so that focus and sound survive
        self.standing.append(f'<div class="view" id="view-{name}" data-view="{name}"></div>')

    def draw_all(self, visitor: Visitor) -> None:
        """Draw every view once for nobody. Raises whatever drawing raises."""
        for view in self.all.values():
            render(view.template, visitor.speaker, view.context(visitor, visitor.speaker))

    def at_first(self) -> dict[str, str]:
        """What stands in those that are always in sight until the first answer."""
        nobody = Visitor()
        always = (name for name, view in self.all.items() if view.tab is None)
        return {name: self._draw(name, nobody).sent for name in always}

    def tab(self, named: Any) -> str:
        """The tab of this name; the first one where there is none."""
        return named if named in self.tabs else self.tabs[0]

    def changed(self, visitor: Visitor, page: str, drawn: int = 0) -> dict[str, tuple[int, str]]:
        """View -> its drawing's number and its text, for views in sight that differ from what is on the page.

        Gradio may hand the page only the last of two answers that come close together, so what was sent is sent again
        until the page says that it has drawn it.
        """
        with visitor.lock:
            number = next(drawings)
            shown = visitor.shown.setdefault(page, Shown(self.tabs[0]))
            shown.sent = {name: one for name, one in shown.sent.items() if one[0] > drawn}
            for name, view in self.all.items():
                if view.tab not in (None, shown.tab):
                    continue
                drawing = self._draw(name, visitor)
                if shown.marks.get(name) != drawing.known_by:
                    shown.sent[name] = number, drawing.sent
                shown.marks[name] = drawing.known_by
            return shown.sent

    def rendered(self, name: str, visitor: Visitor) -> str:
        return self._draw(name, visitor).text

    def _draw(self, name: str, visitor: Visitor) -> _Drawing:
        view, speaker = self.all[name], visitor.speaker

        def drawn() -> _Drawing:
            text = wellformed.text(render(view.template, speaker, view.context(visitor, speaker)))
            return _Drawing(text, speaker.language)

        try:
            of = None if view.of is None else view.of(visitor, speaker)
            if of is None:
                return drawn()
            return self._shared.get((name, speaker.language, of), drawn)
        except Exception:
            log.exception("view %s", name)
            return _Drawing(render("broken.html", speaker, {}), speaker.language)

    def news(self, visitor: Visitor, page: str) -> tuple[int, dict[str, tuple[int, str]]] | None:
        """For a page that asked before: the drawing that this comes next to, and what changed since the last answer to it. A page
        that has not got that one asks for it (any act tells what it has drawn). None for one that was closed just now."""
        with visitor.lock:
            shown = visitor.shown.get(page)
            if shown is None:
                return None
            after = max((number for number, _ in shown.sent.values()), default=0)
            sent = self.changed(visitor, page)
        return after, {name: one for name, one in sent.items() if one[0] > after}
