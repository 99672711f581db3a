"""Clips to rows: embed, the store, whitening."""
