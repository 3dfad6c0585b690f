"""The real servers of the tests: PostgreSQL with TimescaleDB and Mosquitto, in a folder of Debian's own packages."""
