"""A surgeon who saves cases over the API of a started system."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from registry.levels import VERTEBRAL_LEVELS
from tests.processes import RunningRegistry

LONGEST_SECONDS = 45  # an answer that takes longer is none
MAKE_A_PATIENT = """
from tests.factories import make_patient, surgeon_of
patient = make_patient()
print(patient.code, surgeon_of(patient.centre).email)
"""
CASE = {
    "compartment": "intramedullary",
    "compartment_mri": "intramedullary",
    "level_basis": "vertebral_body",
    "axial_position": ["dorsal"],
    "side": "midline",
    "histology_who2021": "schwannoma",
    "icdo_morphology": "9560/0",
    "icdo_topography": "C72.0",
    "who_grade": "1",
    "size_cc_mm": 25,
    "size_ap_mm": 10,
    "size_tr_mm": 12,
    "onset_date_precision": "unknown",
    "incidental": False,
    "symptom_duration_months": 12,
    "first_symptom": "sensory",
}


@dataclass
class Surgeon:
    """Saves cases over the API, as one person at one workplace."""

    registry: RunningRegistry
    patient: str
    token: str
    levels: Iterator[tuple[str, str]] = field(
        default_factory=lambda: combinations(VERTEBRAL_LEVELS, 2)
    )

    def save_case(self) -> tuple[int, dict[str, Any], float]:
        """Status, answer and how long it took. Each tumour has levels of its own: the
        same once more would be asked about."""
        rostral, caudal = next(self.levels)
        levels = {"level_rostral": rostral, "level_caudal": caudal}
        body = {"patient": self.patient, **CASE, **levels}
        return self.ask("POST", "/api/v1/cases/", body)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any], float]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.registry.port, timeout=LONGEST_SECONDS
        )
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }
        content = None if body is None else json.dumps(body)
        began = time.monotonic()
        with closing(connection):
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read()
        seconds = time.monotonic() - began
        if "json" not in answer.headers["Content-Type"]:
            return answer.status, {"code": text.decode()}, seconds
        return answer.status, json.loads(text), seconds

    def cases(self) -> int:
        ((count,),) = self.registry.query("SELECT count(*) FROM cases_case")
        return count


def new_surgeon(registry: RunningRegistry) -> Surgeon:
    """With a centre, a patient and a token that may write."""
    output = registry.manage("shell", "-v0", "-c", MAKE_A_PATIENT)
    patient, email = output.split()[-2:]
    token = registry.manage("create_token", email, "--write").split()[-1]
    return Surgeon(registry, patient, token)
