"""The routes under /api, a file for each thing they are about."""
