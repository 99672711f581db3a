"""One module a corpus, or a family of corpora with one layout: its facts, where its split comes from, how it is read.

A module here is found by being here (``corpora.catalogue``), and one of another package by an entry point of the group
``mirdemo.corpora``. It has:

``FACTS``: a tuple of ``CorpusFacts``, one a corpus
``SPLIT``: a ``Split``, the published files that part it into sides; None where it comes with the sound
``read(facts, splits, data, max_seconds) -> Corpus``: ``splits`` is the folder of those files (without a ``SPLIT``, what
the user gave, or else ``data``), ``data`` the user's folder or None, ``max_seconds`` as in ``RecordedCorpus``
"""
