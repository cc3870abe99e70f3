"""Watching: metrics, logs and limits for those who run the service. Nothing of a patient goes in."""
