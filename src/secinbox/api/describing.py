"""What OpenAPI says beside the routes: how to sign in, raw bodies, and the one shape of errors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

# A body that the server reads itself: a report or a message as its tool writes it.
RAW: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
        }
    },
}
_OPEN = ("/healthz",)  # no token is asked for
_SIGNED = ("/api/v1/tickets/{connection}",)


def describe(app: FastAPI) -> None:
    """Makes the schema of an application complete."""

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            told = get_openapi(title=app.title, version=app.version, routes=app.routes)
            parts = told.setdefault("components", {})
            parts.setdefault("schemas", {})["Error"] = _ERROR
            parts["securitySchemes"] = {
                "token": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "DD-APPLICATION-KEY"},
                "session": {"type": "apiKey", "in": "cookie", "name": "secinbox_session"},
                "signature": {"type": "apiKey", "in": "header", "name": "X-Secinbox-Signature"},
            }
            for path, methods in told["paths"].items():
                for operation in methods.values():
                    _complete(path, operation)
            app.openapi_schema = told
        return app.openapi_schema

    app.openapi = schema  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any]) -> None:
    failed = {"description": "What was wrong, in the one shape of errors",
              "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}  # fmt: skip
    responses = operation["responses"]
    responses.pop("422", None)  # the framework's own shape, which nobody gets
    responses["4XX"] = failed
    ways: list[dict[str, list[str]]] = [{"token": []}, {"key": []}, {"session": []}]
    if path in _SIGNED:
        ways = [{"signature": []}]
    elif path.startswith("/api/v1/webhooks/"):
        ways.append({"signature": []})
    operation["security"] = [] if path in _OPEN else ways
