"""Clients made from the schema by two generators load every answer, as each role."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from outcomes.measures import MEASURES
from registry.api.docs import schema_in
from tests.outcomes.registry_of_cases import fill
from tests.registry.api_cast import ROLES, Cast, make_cast
from tests.registry.api_matrix import MATRIX

SCHEMA: dict[str, Any] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the generated code lies, on the path of Python."""
    found = tmp_path_factory.mktemp("clients")
    text = schema_in.__wrapped__("en").decode()
    SCHEMA.update(json.loads(text))
    (found / "schema.json").write_text(text)
    sys.path.insert(0, str(found))
    yield found
    sys.path.remove(str(found))


def run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Unable" not in done.stdout and "Failed" not in done.stdout, done.stdout


@pytest.fixture(scope="module")
def models(folder: Path) -> ModuleType:
    """Pydantic models by datamodel-code-generator."""
    options = {
        "--input": str(folder / "schema.json"),
        "--input-file-type": "openapi",
        "--output-model-type": "pydantic_v2.BaseModel",
        "--output": str(folder / "generated_models.py"),
    }
    run(
        "datamodel_code_generator", *(part for pair in options.items() for part in pair)
    )
    return importlib.import_module("generated_models")


@pytest.fixture(scope="module")
def operations(folder: Path) -> dict[str, ModuleType]:
    """Reading operations of the client by openapi-python-client, by address."""
    run(
        "openapi_python_client",
        "generate",
        f"--path={folder / 'schema.json'}",
        "--meta=none",
        f"--output-path={folder / 'generated_client'}",
    )
    package = importlib.import_module("generated_client.api")
    found = {}
    for entry in pkgutil.walk_packages(package.__path__, "generated_client.api."):
        module = importlib.import_module(entry.name)
        kwargs = getattr(module, "_get_kwargs", None)
        names = (
            kwargs.__code__.co_varnames[: kwargs.__code__.co_argcount] if kwargs else ()
        )
        asked = (
            kwargs(**{name: f"<{name}>" for name in names}) if reads(module) else None
        )
        if asked:
            url = asked["url"].replace("%3C", "<").replace("%3E", ">")
            found[url.removeprefix("/api/v1/")] = module
    return found


def reads(module: ModuleType) -> bool:
    source = Path(str(module.__file__)).read_text()
    return '"method": "get"' in source


def routes(cast: Cast) -> Iterator[tuple[str, str]]:
    """Every route that is read, and addresses of it."""
    for route, verbs in MATRIX.items():
        if "GET" not in verbs or route in {"schema/", "nothing-of-the-kind/"}:
            continue
        kind = route.partition("/")[0]
        if route.startswith("summaries/"):
            for measure in MEASURES:
                yield route, f"summaries/{measure}/?by=compartment"
        elif route == "facts/":
            yield route, "facts/"
            yield route, "facts/?rows=coded"
            yield route, "facts/?fields=surgery_year,sex"
        elif "<code>" in route:
            code = cast.centre_a.code if kind == "centres" else cast.code(kind)
            yield route, route.replace("<code>", code)
        else:
            yield route, route
        yield (
            route,
            f"{route.replace('<code>', 'NONE').replace('<measure>', 'volume')}?colour=1",
        )


@pytest.fixture
def cast(db: None) -> Cast:
    cast = make_cast()
    fill(cast.centre_b, 12)
    return cast


@pytest.mark.parametrize("role", ROLES)
def test_pydantic_models_take_every_answer(
    cast: Cast, models: ModuleType, role: str
) -> None:
    """datamodel-code-generator, in the strict mode of pydantic."""
    for route, address in routes(cast):
        answer = cast.apis[role].get(address)
        name = "Problem"
        if answer.status_code == 200:
            path = f"/api/v1/{route.replace('<', '{').replace('>', '}')}"
            content = SCHEMA["paths"][path]["get"]["responses"]["200"]["content"]
            name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        loaded = getattr(models, name).model_validate_json(answer.body, strict=True)
        told = json.loads(loaded.model_dump_json(exclude_unset=True, by_alias=True))
        assert plain(told) == plain(answer.json()), address


@pytest.mark.parametrize("role", ROLES)
def test_the_python_client_takes_every_answer(
    cast: Cast, operations: dict[str, ModuleType], role: str
) -> None:
    """openapi-python-client: nothing is refused, nothing is lost.

    It reads no ranges of statuses, so the problems ("4XX") are left to the models.
    """
    client = importlib.import_module("generated_client").Client(
        base_url="http://testserver", raise_on_unexpected_status=True
    )
    for route, address in routes(cast):
        answer = cast.apis[role].get(address)
        if answer.status_code != 200:
            continue
        response = httpx.Response(
            answer.status_code, content=answer.body, headers=dict(answer.items())
        )
        loaded = operations[route]._parse_response(client=client, response=response)
        assert plain(loaded.to_dict()) == plain(answer.json()), address


def plain(value: Any) -> Any:
    """The same instants and numbers written in one way."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str) and value.endswith("Z") and value[:4].isdigit():
        return value[:-1] + "+00:00"
    return value
