"""The clips tab."""
