"""What every room stands on: refusals and sentences, progress, whole-file writes, home, remembered facts."""
