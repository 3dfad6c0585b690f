"""Sees pixels and has no network: cameras, pose models, people with stable ids."""
