"""Who owns the company: SAFEs, notes and rounds become shares, and an exit becomes money."""
