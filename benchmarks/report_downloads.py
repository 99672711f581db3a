"""Somebody works while others download reports: how long does an act take, with and without them?

    python benchmarks/report_downloads.py [--downloads 40] [--rounds 5] [--out FILE.json]

One visitor switches the language to and fro on a served page, over HTTP as the page does. In each round: acts alone, acts while
so many downloads of one selection's report are asked for at once, and while as many of different selections are, each of
which must be made (``different``; new ones each round). Acts are timed until their first answer, as long as a download is
under way. Printed: n, medians and largest, the medians over those alone, and how the downloads were answered. No interval; what
else the machine does counts, so the load is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

sys.path[:0] = [str(Path(__file__).resolve().parent)]
from load import Seen, Visitor, beat, free_port, served  # noqa: E402 - lies beside this file

CORPORA = ("magnatagatune", "fma", "lyra", "makam", "hindustani", "carnatic")


def selections() -> Iterator[dict[str, str]]:
    """Queries of selections that differ."""
    for count in range(1, len(CORPORA)):
        for corpora in itertools.combinations(CORPORA, count):
            for metric, licence in itertools.product(("roc_auc", "map"), ("any", "commercial")):
                yield {"metric": metric, "corpora": "~".join(corpora), "licence": licence}


async def measure(address: str, downloads: int, rounds: int) -> dict[str, Any]:
    times: dict[str, list[float]] = {"alone": [], "same": [], "different": []}
    answered: dict[str, Counter[int]] = {"same": Counter(), "different": Counter()}
    others = selections()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as client:
        dependencies = (await client.get("/config")).json()["dependencies"]
        wire = next(d["id"] for d in dependencies if any(trigger == "act" for _, trigger in d["targets"]))
        seen = Seen()
        one = Visitor(0, client, wire, seen)
        heart = asyncio.create_task(beat(client, one.line.session))
        await one.act("hello", "page.hello", "clips", token=None, language="en", address="")
        languages = itertools.cycle(("ja", "en"))

        async def act(kind: str) -> None:
            began = time.monotonic()
            await one.act("act", "page.language", "clips", language=next(languages))
            times[kind].append(time.monotonic() - began)

        async def download(kind: str, query: dict[str, str]) -> None:
            got = await client.get("/evidence/report.html", params={"language": "en", **query})
            answered[kind][got.status_code] += 1

        for _ in range(10):
            await act("alone")
        times["alone"].clear()
        for _ in range(rounds):
            for _ in range(10):
                await act("alone")
            for kind in ("same", "different"):
                asked = [{"metric": "map"} if kind == "same" else next(others) for _ in range(downloads)]
                under_way = asyncio.gather(*(download(kind, query) for query in asked))
                await asyncio.sleep(0.05)
                while not under_way.done():
                    await act(kind)
                await under_way
        heart.cancel()
    alone = statistics.median(times["alone"])
    return {
        kind: {
            "n": len(taken),
            "median_s": round(statistics.median(taken), 3),
            "most_s": round(max(taken), 3),
            "over_alone": round(statistics.median(taken) / alone, 2),
            "downloads": {str(status): n for status, n in answered.get(kind, {}).items()},
        }
        for kind, taken in times.items()
        if taken
    } | {"wrong": dict(seen.wrong), "refusals": dict(seen.refusals)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--downloads", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.downloads * args.rounds > (most := sum(1 for _ in selections())):
        parser.error(f"there are {most} selections for all rounds together")
    found: dict[str, Any] = {
        "downloads": args.downloads,
        "rounds": args.rounds,
        "load_before": os.getloadavg()[0],
    }
    with (
        tempfile.TemporaryDirectory() as made,
        served([sys.executable, "app.py"], free_port(), Path(made)) as (address, _),
    ):
        time.sleep(20)  # what is made ready in the background at the start is no part of it
        found |= asyncio.run(measure(address, args.downloads, args.rounds))
    found["load_after"] = os.getloadavg()[0]
    text = json.dumps(found, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
