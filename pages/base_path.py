"""Where our own HTTP routes are mounted: below Streamlit's `server.baseUrlPath`, beside its pages."""

from __future__ import annotations

ROOT = "groundwork"


def address(base: str, *parts: str) -> str:
    """Path of a route of ours. base: Streamlit's `server.baseUrlPath`, "" when the app is at the root."""
    return "/" + "/".join(part for part in (base.strip("/"), ROOT, *parts) if part)
