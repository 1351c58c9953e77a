"""The production set-up, as docker-compose.yml starts it, behind the shipped proxy.

Each test speaks from loopback addresses of its own, so that limits by address do not
meet.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from registry.embedded.postgres import EmbeddedPostgres
from tests.factories import PASSWORD
from tests.journeys.saving import CASE
from tests.processes import eventually
from tests.production import SECRETS, execute
from tests.production_processes import ProductionProcesses, started_production

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        shutil.which("nginx", path=f"{os.defpath}:/usr/sbin") is None
        and os.environ.get("REQUIRE_BROWSER") != "1",
        reason="nginx is not installed",
    ),
]
LOGIN = "/account/login/"
PEOPLE = """
import json
from registry.actions import create_token
from registry.permissions import Role
from tests.factories import make_patient, make_user
patient = make_patient()
people = [make_user(Role.SURGEON, patient.centre) for _ in range(4)]
analyst = make_user(Role.ANALYST)
def token(person, read_only):
    return create_token(by=person, owner=person, name="t", days=1, read_only=read_only)[1]
print(json.dumps({
    "patient": patient.code,
    "emails": [person.email for person in people],
    "writer": token(people[0], False),
    "analyst": token(analyst, True),
}))
"""


@pytest.fixture(scope="module")
def production(
    tmp_path_factory: pytest.TempPathFactory, test_server: EmbeddedPostgres
) -> Iterator[ProductionProcesses]:
    with started_production(tmp_path_factory.mktemp("production")) as production:
        yield production


@pytest.fixture(scope="module")
def people(production: ProductionProcesses) -> dict[str, Any]:
    answer = production.production.manage("shell", "-v0", "-c", PEOPLE, service="web")
    assert answer.returncode == 0, answer.stderr
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def sign_in(client: httpx.Client, email: str, password: str = PASSWORD, **headers: str):
    """Through the form, with its token; returns whether the person is in."""
    page = patiently(lambda: client.get(LOGIN))
    assert page.status_code == 200, page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "login": email, "password": password}
    answer = patiently(lambda: client.post(LOGIN, data=form, headers=headers))
    assert answer.status_code in {200, 302}, answer.text
    return client.get("/account/").status_code == 200


def api(client: httpx.Client, token: str) -> httpx.Client:
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, once the proxy no longer asks for patience."""
    return eventually(lambda: found if (found := ask()).status_code != 429 else None)


def test_the_lockout_counts_by_person_and_address(
    production: ProductionProcesses, people: dict[str, Any]
) -> None:
    """S1, S2: nobody locks the colleague, and nobody locks a person everywhere."""
    email, colleague = people["emails"][:2]
    with production.client("127.0.1.1") as here:
        for number in range(5):
            claim = {"X-Forwarded-For": f"198.51.100.{number}"}
            assert not sign_in(here, email, "a wrong password", **claim)
        assert not sign_in(here, email), "five failures, and not locked"
    with production.client("127.0.1.2") as elsewhere:
        assert sign_in(elsewhere, email)
    with production.client("127.0.1.1") as same_ward:
        assert sign_in(same_ward, colleague)
    failed = "SELECT DISTINCT host(ip_address) FROM axes_accessattempt"
    assert execute(production.production.postgres, failed) == [("127.0.1.1",)]


def test_S3_sign_in_is_slowed_by_address(production: ProductionProcesses) -> None:
    with production.client("127.0.2.1") as client:
        asked = [client.get(LOGIN).status_code for _ in range(25)]
    assert asked[:8] == [200] * 8
    assert 429 in asked
    with production.client("127.0.2.2") as other:
        assert other.get(LOGIN).status_code == 200


def test_the_api_is_throttled_by_address(production: ProductionProcesses) -> None:
    with production.client("127.0.3.1") as client:
        asked = [client.get("/api/v1/cases/") for _ in range(25)]
    assert {answer.status_code for answer in asked} == {401, 429}
    assert int(asked[-1].headers["Retry-After"]) > 0
    with production.client("127.0.3.2") as other:
        assert other.get("/api/v1/cases/").status_code == 401


@pytest.mark.parametrize("path", [LOGIN, "/no/such/page", "/api/v1/cases/"])
def test_W4_the_headers_stand_on_every_answer(
    production: ProductionProcesses, path: str
) -> None:
    with production.client("127.0.4.1") as client:
        headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_served_and_kept(production: ProductionProcesses) -> None:
    with production.client("127.0.4.2") as client:
        page = client.get(LOGIN).text
        found = re.findall(r'"(/static/[^"]+\.(?:css|js))"', page)
        answers = [client.get(path) for path in found]
    assert len(found) > 3
    assert {answer.status_code for answer in answers} == {200}
    assert all("immutable" in a.headers["Cache-Control"] for a in answers)


def test_plain_http_is_sent_to_https(production: ProductionProcesses) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{production.http_port}/cases/",
        headers={"Host": "registry.test"},
    )
    assert answer.headers["Location"] == "https://registry.test/cases/"


def test_W8_a_foreign_host_name_is_refused(production: ProductionProcesses) -> None:
    with production.client("127.0.4.3") as client:
        assert client.get(LOGIN, headers={"Host": "evil.test"}).status_code == 400


def test_U1_large_bodies_are_refused(
    production: ProductionProcesses, people: dict[str, Any]
) -> None:
    """By the proxy above 20 MB, by the registry above what a record can hold."""
    with api(production.client("127.0.5.1"), people["writer"]) as client:
        assert (
            client.post("/api/v1/cases/", content=b" " * 21_000_000).status_code == 413
        )
        body = json.dumps({"patient": "x" * 3_000_000})
        as_json = {"Content-Type": "application/json"}
        answer = client.post("/api/v1/cases/", content=body, headers=as_json)
    assert answer.status_code == 413, answer.text


def test_a_save_reaches_the_numbers(
    production: ProductionProcesses, people: dict[str, Any]
) -> None:
    """Web, database role, broker with a password and worker, all by compose's words."""
    body = {"patient": people["patient"], **CASE}
    body |= {"level_rostral": "C2", "level_caudal": "C4"}
    with api(production.client("127.0.6.1"), people["writer"]) as client:
        answer = client.post("/api/v1/cases/", json=body)
        assert answer.status_code == 201, answer.text
    counted = (
        "SELECT n_cases FROM outcomes_summary WHERE centre_id IS NULL"
        " AND NOT released AND measure = 'volume' AND by = 'compartment'"
    )
    eventually(lambda: execute(production.production.postgres, counted) == [(1,)])


def test_an_update_replaces_the_web_server_under_the_standing_proxy(
    production: ProductionProcesses, people: dict[str, Any]
) -> None:
    """Its container has another address then, and here another SECRET_KEY as well.

    Who was signed in stays so, and extracts of before and after join.
    """
    with (
        production.client("127.0.7.1") as person,
        api(production.client("127.0.7.2"), people["analyst"]) as analyst,
    ):
        assert sign_in(person, people["emails"][2])
        before = analyst.get("/api/v1/facts/?fields=case,patient")
        assert before.json()["results"], before.text

        production.names.address = "127.0.0.9"
        production.restart_web(
            SECRET_KEY="n" * 64, SECRET_KEY_FALLBACKS=SECRETS["SECRET_KEY"]
        )

        assert person.get("/account/").status_code == 200
        after = analyst.get("/api/v1/facts/?fields=case,patient")
        assert after.json() == before.json()
        version = "X-Pseudonym-Version"
        assert after.headers[version] == before.headers[version]


def test_the_logs_of_production_name_nobody(
    production: ProductionProcesses, people: dict[str, Any]
) -> None:
    """T5: no address of a person, no token, no password of the set-up."""
    folder = production.production.folder
    logs = "".join(
        path.read_text(errors="replace")
        for path in [*(folder / "log").glob("*.log"), *(folder / "nginx").glob("*.log")]
    )
    assert "request_finished" in logs
    secrets = {
        name: v for name, v in SECRETS.items() if "KEY" in name or "PASS" in name
    }
    told = [people["writer"], people["analyst"], *people["emails"], *secrets.values()]
    assert [canary for canary in told if canary in logs] == []
