"""The evidence tab."""
