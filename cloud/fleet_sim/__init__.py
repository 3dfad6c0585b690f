"""Simulated boxes that send what real ones send: to test and to measure the cloud without cameras."""
