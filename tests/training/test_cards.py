"""The cards say of the tables what their intervals allow."""

from __future__ import annotations

import pytest
import write_cards
from write_cards import change, trained_again, verdict, whitening

from mirdemo.results.records import Result, Results


def figures(**differences: list[float]) -> dict:
    return {family: {"mini-world - spectral": found} for family, found in differences.items()}


def test_the_verdict_follows_the_intervals_not_the_values():
    found = figures(
        mode=[0.2, 0.1, 0.3], rhythm=[0.2, -0.1, 0.4], tempo=[-0.2, -0.3, -0.1], all=[0.1, 0.05, 0.2]
    )
    assert verdict(found) == (
        "`mini-world` is above `spectral` on mode; below `spectral` on tempo; not told from `spectral` on rhythm."
    )


def test_the_verdict_leaves_out_what_did_not_occur():
    assert verdict(figures(mode=[0.2, 0.1, 0.3])) == "`mini-world` is above `spectral` on mode."


def test_the_change_of_the_loss_is_over_the_end_of_the_log():
    log = [{"step": step, "loss": loss} for step, loss in ((100, 9.0), (200, 8.0), (275, 6.5), (300, 6.0))]
    changed, steps = change(log)
    assert changed == pytest.approx(-25.0)
    assert steps == 100


def test_the_table_of_whitening_gives_what_it_changes_where_the_page_begins_and_where_it_is_on(monkeypatch):
    better, worse = [0.1, 0.05, 0.15], [-0.1, -0.15, -0.05]
    effects = {
        "few-shot": {
            "all": {"clean": worse, "degraded": better},
            "sound": {"clean": better, "degraded": better},
        },
        "probe": {"all": {"clean": better, "degraded": better}},
    }
    monkeypatch.setattr(write_cards, "whitening_helps", lambda *asked: asked == ("spectral", "probe", "all"))
    table = whitening({"whitening": {"spectral": {"revision": "1", **effects}}})
    assert table.endswith(
        "| spectral, all | -0.100 [-0.150, -0.050] | +0.100 [+0.050, +0.150] | +0.100 [+0.050, +0.150] | "
        "+0.100 [+0.050, +0.150] | probe |"
    )
    monkeypatch.setattr(write_cards, "whitening_helps", lambda *asked: False)
    assert whitening({"whitening": {"spectral": {"revision": "1", **effects}}}).endswith("| nowhere |")


def probed(model: str, **values: float) -> Results:
    """Records of one probe, tag by tag; ``macro`` is the figure over all of them."""
    return Results(
        tuple(
            Result(
                model=model,
                corpus="controlled/greek",
                method="probe",
                protocol="papaioannou2025",
                metric="roc_auc",
                value=value,
                tag=None if tag == "macro" else tag,
                setting={"mode": "full"},
                source="measured",
                versions={"mirdemo": "0"},
            )
            for tag, value in values.items()
        )
    )


def test_a_card_says_what_another_training_moved():
    first = probed("Mini-West", macro=0.8, hitzaz=0.9, lyra=0.7, violin=0.8)
    again = probed("Mini-West", macro=0.78, hitzaz=0.85, lyra=0.71, violin=0.6) + probed("Other", hitzaz=0.1)
    told = trained_again(first, again, "Mini-West")
    assert "0.780 instead of 0.800" in told
    assert "0.050 in\n  the median and 0.20 at most (3 tags)" in told
    assert "nobody has measured" in trained_again(first, Results(()), "Mini-West")
