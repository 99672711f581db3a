"""The first tab: what is known about models on the six corpora, how sure it is, and what it means."""
