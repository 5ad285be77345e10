"""Which table, and of which cloud, a file is named after."""

from __future__ import annotations

from secinbox.reading import ReportError

AWS, KUBERNETES = ("aws_",), ("kubernetes_", "k8s_")
AZURE, GOOGLE = ("azure_", "azuread_"), ("gcp_",)
_READ = (*AWS, *KUBERNETES, *AZURE)
_ELSEWHERE = {"gcp_": "Google Cloud"}


def named_in(path: str, prefixes: tuple[str, ...]) -> str:
    """The name of a table that a file or one of its folders bears: `aws_x/part-1.csv` -> `aws_x`."""
    for word in reversed(path.lower().replace("\\", "/").split("/")):
        stem = word.split(".")[0]
        if stem.startswith(prefixes):
            return stem
    return ""


def elsewhere(path: str) -> str:
    """The other cloud whose table a file or its folder is named after; "" for none."""
    if named_in(path, _READ):
        return ""
    stem = named_in(path, tuple(_ELSEWHERE))
    return next((cloud for prefix, cloud in _ELSEWHERE.items() if stem.startswith(prefix)), "")


def refuse_elsewhere(path: str) -> None:
    """Raises ReportError for a table of another cloud."""
    if cloud := elsewhere(path):
        raise ReportError(f"tables of {cloud} are not read", "$",
                          "import what the cloud's own tools print; docs/guides/clouds.md says how")  # fmt: skip
