"""Beside the line, at a prompt: samples read and asked, answers printed, the whole checked for soundness."""
