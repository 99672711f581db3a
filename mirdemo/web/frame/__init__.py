"""The page's own frame: the wire, the visit, jobs, the player, uploads, limits."""
