"""From a file's bytes to a clip: decoding, resampling."""
