"""Whole corpora on several processors, GPUs or machines, by Ray Data (an optional extra: ``requirements-bulk.txt``).

>>> report = embed_files(paths, Named("mert-95m"), store=store, workers=Workers(count=8, gpus=1, address="auto"))
>>> rows = report.embeddings(store)

Each worker holds a backbone, decodes, embeds, and puts every clip into the one ``EmbeddingStore`` that all machines
share, as soon as it is complete; only small records travel back. So whatever ends a run, what was complete stays, and
the next run (or plain ``embed``) finds it. Nothing here imports Ray before workers are asked for.
"""

from mirdemo.bulk.errors import BulkError
from mirdemo.bulk.report import BulkRecord, BulkReport
from mirdemo.bulk.running import embed_files
from mirdemo.bulk.sources import ClipFile
from mirdemo.bulk.worker import Named
from mirdemo.bulk.workers import Workers

__all__ = ["BulkError", "BulkRecord", "BulkReport", "ClipFile", "Named", "Workers", "embed_files"]
