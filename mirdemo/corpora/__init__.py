"""Corpora with recordings and controlled ones: what they are, and one way to read them all.

``catalogue`` says what is known before any sound is at hand, ``frames`` which corpora a finding is about;
``registry.open_corpus`` opens one. Nothing is imported here,
because the pages that only show facts must not wait for audio decoders.
"""
