"""The cloud: what boxes send is taken in, kept once and shown to those it belongs to."""
