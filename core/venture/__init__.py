"""Dollars become a company: revenue, margin, cash, ownership."""
