#!/bin/sh
# Run once by the database's image, when it makes its cluster: the passwords come from the services' own secrets.
set -eu
password() { sed -n 's/^password=//p' "/run/secrets/database-$1"; }
psql --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /etc/kinebox/roles.sql \
    -v schema_password="$(password schema)" -v ingest_password="$(password ingest)" -v api_password="$(password api)"
