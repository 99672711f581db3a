"""What has become of a visit while its page was away, in words."""

from __future__ import annotations

from mirdemo.base.sentences import Sentence
from mirdemo.web.frame.act import Act
from mirdemo.web.frame.session import Visitor, Visitors

_RESTARTED = Sentence(
    "The server was restarted. The clips and results of this visit were in its memory alone and are gone. Open a saved visit "
    "under Clips, or add your clips again.",
    "page.restarted",
)
_RESTARTED_EMPTY = Sentence(
    "The server was restarted. Nothing of yours was on it, so nothing is lost.", "page.restarted_empty"
)
_OVER = Sentence(
    "This visit had ended, and its clips and results were deleted. Open a saved visit under Clips, or add your clips again.",
    "page.visit_over",
)
LINE_BACK = Sentence("The connection is back. This visit is as it was.", "page.line_back")
#: Codes of what is to be read before it goes.
_GONE = ("page.restarted", "page.visit_over")


def since(visitors: Visitors, act: Act) -> Sentence | None:
    """What has become of the visit of a page that comes back, where it is not as it was or the line was cut."""
    token = act.sent("token")
    if not isinstance(token, str) or not token:
        return None
    if visitors.knows(token):
        return LINE_BACK if act.has("cut") else None
    if visitors.is_ours(token):
        return _OVER if act.has("had") else None
    return _RESTARTED if act.has("had") else _RESTARTED_EMPTY if act.has("cut") else None


def tell(visitor: Visitor, news: Sentence) -> None:
    """What has become of a visit while its page was away. That nothing has hides neither what was refused or failed meanwhile
    nor what can be taken back."""
    gone = news.code in _GONE
    if gone or (visitor.undo is None and not (visitor.notice is not None and visitor.notice.refusal)):
        visitor.tell(news, refusal=gone, goes="clips" if gone else None)
