#!/bin/bash
# Runs once, when the database is made. Two roles: registry_owner migrates and owns the
# tables; registry_app, as which web and workers connect, only reads and writes rows.
# `manage.py prepare_deployment` grants it the tables, the audit trail by insert only.
set -euo pipefail

psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --set=owner_password="$OWNER_DATABASE_PASSWORD" \
    --set=app_password="$APP_DATABASE_PASSWORD" \
    --set=database="$POSTGRES_DB" <<'SQL'
CREATE ROLE registry_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE registry_app LOGIN PASSWORD :'app_password';
ALTER DATABASE :"database" OWNER TO registry_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO registry_app;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO registry_owner;
GRANT USAGE ON SCHEMA public TO registry_app;
SQL
