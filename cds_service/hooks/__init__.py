"""The CDS Hooks conversation: what is asked of us, what we offer, what became of our cards."""
