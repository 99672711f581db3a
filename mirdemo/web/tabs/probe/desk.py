"""What the probe tab remembers of a visitor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mirdemo.web.frame.job import Draft
from mirdemo.web.tabs.probe import prompts, table
from mirdemo.web.tabs.probe.running import LIVE, Result, SoFar, run_key
from mirdemo.web.tabs.probe.zero_shot import Question, ZeroShot

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips


@dataclass
class ProbeDesk:
    """What this tab remembers of a visitor.

    sort: column and whether descending; mistakes_of: key of the run whose mistakes are shown
    vocabulary: whose words to ask for, a corpus's or ``prompts.OWN``
    template: of prompts for own tags; prompts: tag -> prompt, where it was written by hand
    forms: (corpus, family of tags) -> template, where it was written by hand
    protocol: by which one probes now
    whiten: as the visitor chose, None where it was left as measured
    result: by the live protocol; published: by the published one. Never both at once: they are not compared
    draft: what the last probe had found, kept where it was stopped half way; drafted: by which protocol
    drawn: what the template was last given about the result, and for which state, for a view is drawn after every act
    """

    protocol: str = LIVE
    result: Result | None = None
    published: Result | None = None
    whiten: bool | None = None
    metric: str = table.METRICS[0]
    sort: tuple[str, bool] = ("tag", False)
    mistakes_of: str = ""
    vocabulary: str = prompts.OWN
    template: str = prompts.TEMPLATE
    prompts: dict[str, str] = field(default_factory=dict)
    forms: dict[tuple[str, str], str] = field(default_factory=dict)
    words: ZeroShot | None = None
    draft: Draft = field(default_factory=Draft)
    drafted: str = LIVE
    drawn: tuple[tuple, dict[str, Any]] | None = None

    @property
    def answer(self) -> Result | None:
        """The result by the protocol chosen."""
        return self.result if self.protocol == LIVE else self.published

    def keep(self, protocol: str, result: Result | None) -> None:
        if protocol == LIVE:
            self.result = result
        else:
            self.published = result
        self.drawn = None

    def left(self, clips: LabelledClips) -> SoFar | None:
        """What a probe of these clips by the protocol chosen had found when it ended half way, of backbones that had begun."""
        so_far = self.draft.latest
        if (
            so_far is None
            or not so_far.found
            or self.drafted != self.protocol
            or not so_far.asked.is_about(clips)
        ):
            return None
        return replace(so_far, wanted=tuple(one for one in so_far.wanted if run_key(*one) in so_far.found))

    def prompt(self, tag: str) -> str:
        """The prompt for one of the visitor's own tags."""
        return self.prompts.get(tag) or self.template.replace(prompts.PLACE, tag)

    def templates(self) -> dict[str, str]:
        """Family -> template for the chosen corpus's words."""
        found = prompts.forms(self.vocabulary)
        return {family: self.forms.get((self.vocabulary, family), form) for family, form in found.items()}

    def question(self, tags: tuple[str, ...]) -> Question:
        """What to ask for now. tags: the visitor's own"""
        if self.vocabulary == prompts.OWN:
            return Question(prompts.OWN, {tag: self.prompt(tag) for tag in tags}, {tag: tag for tag in tags})
        asked = prompts.prompts(self.vocabulary, self.templates())
        return Question(self.vocabulary, asked, prompts.matches(self.vocabulary, tags))
