"""Signals: data as band-limited functions that groups act on."""
