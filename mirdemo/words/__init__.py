"""English and Japanese: what the page, the command line and the reports say."""
