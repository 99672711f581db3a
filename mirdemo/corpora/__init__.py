"""The six corpora and the controlled ones: what they are, and one way to read them all.

``facts`` says what is known before any sound is at hand; ``registry.open_corpus`` opens one. Nothing is imported here,
because the pages that only show facts must not wait for audio decoders.
"""
