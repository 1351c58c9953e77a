"""T13: the container files, checked as text, because tests have no Docker engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection
from django.urls import reverse

from registry.embedded.places import BASE_DIR
from registry.management.commands.prepare_deployment import (
    append_only_tables,
    grant_application_role,
)

COMPOSE = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (BASE_DIR / "Dockerfile").read_text()
NGINX = (BASE_DIR / "deploy" / "nginx.conf").read_text()
OURS = ("migrate", "web", "worker", "beat")
MAY_BE_LEFT_OUT = {"SECRET_KEY_FALLBACKS"}  # there are none before the first change
SECRET_NAMES = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


def test_all_parts_are_there() -> None:
    assert set(SERVICES) == {*OURS, "postgres", "redis", "nginx"}
    assert SERVICES["postgres"]["image"] == "postgres:18"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_long_running_service_restarts_and_is_checked(name: str) -> None:
    service = SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "on-failure"
        return
    assert service["restart"] == "unless-stopped"
    assert name == "web" or service["healthcheck"]["test"]
    assert "HEALTHCHECK" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


def test_no_secret_has_a_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET_NAMES.search(variable) or "://" in str(value):
                used = re.findall(r"\$\{(\w+)(:?[-?])?([^}]*)", str(value))
                assert used, f"{name}: {variable} is written down"
                for secret, rule, rest in used:
                    if not SECRET_NAMES.search(secret):
                        continue
                    if secret in MAY_BE_LEFT_OUT:
                        assert (rule, rest) == (":-", ""), f"{name}: {secret}"
                        continue
                    assert rule == ":?", f"{name}: {secret} may be left out"


def test_only_nginx_is_reachable_from_outside() -> None:
    published = {name for name, service in SERVICES.items() if "ports" in service}
    assert published == {"nginx"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_data_lie_in_volumes() -> None:
    assert set(COMPOSE["volumes"]) == {"heads", "postgres", "redis"}
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]
    assert "redis:/data" in SERVICES["redis"]["volumes"]


def test_heads_of_the_trail_are_kept_where_the_image_may_write() -> None:
    folder = "/var/lib/myelon"
    assert f"--owner registry --mode 0700 {folder}" in DOCKERFILE
    for name in OURS:
        file = SERVICES[name]["environment"]["AUDIT_HEADS"]
        assert Path(file).parent == Path(folder)
        assert f"heads:{folder}" in SERVICES[name]["volumes"]


def test_queue_survives_a_crash_and_is_never_evicted() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    for option in (
        "--appendonly yes",
        "--appendfsync everysec",
        "--maxmemory-policy noeviction",
    ):
        assert option in command
    assert "exec redis-server" in command


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_worker_gets_sigterm_and_the_time_to_finish(name: str) -> None:
    """A list, not a shell line: the shell would keep the signal for itself."""
    service = SERVICES[name]
    assert service["command"][0] == "celery"
    minutes = int(service["stop_grace_period"].removesuffix("m"))
    assert minutes * 60 >= settings.CELERY_TASK_TIME_LIMIT


def test_one_beat() -> None:
    beats = [name for name, s in SERVICES.items() if "beat" in s.get("command", [])]
    assert beats == ["beat"]
    assert "deploy" not in SERVICES["beat"]


def test_application_does_not_connect_as_the_owner() -> None:
    for name in ("web", "worker", "beat"):
        address = SERVICES[name]["environment"]["DATABASE_URL"]
        assert address.startswith("postgresql://registry_app:")
    owner = SERVICES["migrate"]["environment"]["DATABASE_URL"]
    assert owner.startswith("postgresql://registry_owner:")


def test_image_runs_as_an_ordinary_user_without_secrets() -> None:
    final_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER registry$", final_stage, re.M)
    assert "--uid 10001" in final_stage
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|KEY)", DOCKERFILE, re.M)
    assert re.search(r'^CMD \["gunicorn"', DOCKERFILE, re.M)


def test_image_leaves_secrets_and_records_behind() -> None:
    ignored = (BASE_DIR / ".dockerignore").read_text().splitlines()
    assert {".env", "var", ".git", ".venv"} <= set(ignored)


@pytest.mark.parametrize(
    "directive",
    [
        "client_max_body_size 20m;",
        "client_header_timeout 10s;",
        "client_body_timeout 10s;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto https;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "server_tokens off;",
    ],
)
def test_proxy_guards_the_web_server(directive: str) -> None:
    assert directive in NGINX


def test_sign_in_is_slowed_at_the_address_that_it_has() -> None:
    location = f"location {reverse('account_login')} {{"
    assert location in NGINX
    block = NGINX.split(location)[1].split("}")[0]
    assert "limit_req zone=sign_in" in block
    assert "proxy_add_x_forwarded_for" not in NGINX


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-subj", "/CN=test", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    text = NGINX.replace("/etc/nginx/tls", str(tmp_path)).replace("web:8000", "[::1]:9")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text.replace("/run/nginx.pid", str(tmp_path / "pid")))
    subprocess.run(["nginx", "-t", "-c", str(configuration)], check=True)


@pytest.mark.django_db
def test_application_s_role_reads_and_writes_but_not_the_trail() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE test_application_role")
        grant_application_role("test_application_role")
        for table in append_only_tables():
            assert privileges(cursor, table) == {"INSERT", "SELECT"}
        everything = {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert privileges(cursor, "cases_case") == everything
        assert privileges(cursor, "django_migrations") == {"SELECT"}


def privileges(cursor: Any, table: str) -> set[str]:
    cursor.execute(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'test_application_role' AND table_name = %s",
        [table],
    )
    return {privilege for (privilege,) in cursor.fetchall()}
