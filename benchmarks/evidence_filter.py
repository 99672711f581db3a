"""How long a filter of the evidence takes on the server, beside the same filter in plain pandas and Plotly.

    python -m benchmarks.evidence_filter [--records 100000] [--rounds 9]

Prints milliseconds (median, and the interval that holds nine tenths of the rounds) for drawing all charts after
a filter changed, with that many records, and the ratio to the rival: the same records filtered with
``DataFrame.query`` and one plotly.express chart each for overview, gaps and per-tag view.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.evidence import drawing
from mirdemo.evidence.selection import Selection
from mirdemo.results import records as results
from mirdemo.results.records import Results


def many(n: int) -> Results:
    """The published records, repeated under other model names until there are n."""
    published = results.published().records
    copies = []
    while len(published) + len(copies) < n:
        k = 1 + len(copies) // len(published)
        record = published[len(copies) % len(published)]
        copies.append(replace(record, model=f"{record.model} copy {k}"))
    return Results((*published, *copies))


def rival(everything: Results, metric: str, corpus: str) -> None:
    """The usual way: a query on the table, then plotly.express."""
    import plotly.express as px

    left = everything.frame.query("metric == @metric and tag.isnull() and corpus == @corpus")
    px.imshow(left.pivot_table(index="model", columns="corpus", values="value", observed=True)).to_json()
    px.bar(left, x="value", y="model").to_json()
    per_tag = everything.frame.query("metric == 'f1' and tag.notnull() and corpus == @corpus")
    px.scatter(per_tag, x="setting.support", y="value", color="corpus").to_json()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    everything = many(args.records)
    _ = everything.frame
    choices = [("roc_auc", "lyra"), ("map", "makam"), ("macro_f1", "carnatic")]
    drawing.draw(everything, Selection(), "en")
    rival(everything, *choices[0])
    ours, theirs = [], []
    for i in range(args.rounds):
        metric, corpus = choices[i % len(choices)]
        began = time.perf_counter()
        drawing.draw(everything, Selection(metric=metric, corpora=(corpus,), models=("AST", "VGG-ish")), "en")
        ours.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        rival(everything, metric, corpus)
        theirs.append(1000 * (time.perf_counter() - began))
    low, high = np.quantile(ours, (0.05, 0.95))
    print(
        json.dumps(
            {
                "records": len(everything),
                "rounds": args.rounds,
                "ms_median": round(float(np.median(ours)), 1),
                "ms_nine_tenths": [round(float(low), 1), round(float(high), 1)],
                "rival_ms_median": round(float(np.median(theirs)), 1),
                "ratio_rival_over_ours": round(float(np.median(theirs) / np.median(ours)), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
