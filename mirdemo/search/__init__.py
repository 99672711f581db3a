"""Find more like this: the windows of an archive whose sound is nearest to a query's.

>>> folder = RowFolder.reading("archive.rows")
>>> hits = find(folder, "layer 3", queries, count=10)
"""

from mirdemo.search.finding import Hit, find
from mirdemo.search.index import EXACT_UP_TO, Index, index_of
from mirdemo.search.nearest import lengths_of, nearest, similarity_to_any

__all__ = ["EXACT_UP_TO", "Hit", "Index", "find", "index_of", "lengths_of", "nearest", "similarity_to_any"]
