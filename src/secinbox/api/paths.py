"""Attack paths and the fix plan over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.params import Depends

from secinbox.api.shapes import ISSUE, PATH, PLAN, page, told

Text = Annotated[str, Query(max_length=4_000)]


def router(session: Any, read: Sequence[Depends]) -> APIRouter:
    """`/api/v1/paths`, `/api/v1/plan`."""
    routes = APIRouter(prefix="/api/v1", dependencies=read)

    @routes.get("/paths", responses=told(page("paths", PATH)))
    def paths(
        entry: Text = "",
        target: Text = "",
        through: Text = "",
        certain: bool = False,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 50,
        cursor: Text = "",
    ) -> Any:
        """Attack paths, worst first."""
        return session.paths(
            entry=entry, target=target, through=through, certain=certain, limit=limit, cursor=cursor
        )

    @routes.get("/paths/{name}", responses=told(PATH))
    def path(name: str) -> Any:
        """One attack path with its steps, evidence and resources."""
        return session.path(name)

    @routes.get("/plan", responses=told(PLAN))
    def plan(limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Any:
        """The actions that cut most attack paths, and the smallest set that cuts all certain ones."""
        return session.plan(limit=limit)

    @routes.get(
        "/plan/what-if",
        responses=told(
            {
                "done": ["object"],
                "issues": [ISSUE],
                "paths": {"before": "integer", "after": "integer"},
                "gone": ["object"],
                "instead": ["object"],
            }
        ),
    )
    def what_if(
        fix: Annotated[list[str], Query(min_length=1, max_length=50)],
        limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
    ) -> Any:
        """The inbox and the paths as they would be with these done; nothing is stored."""
        return session.what_if(fix, limit=limit)

    return routes
