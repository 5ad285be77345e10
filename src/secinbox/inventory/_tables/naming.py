"""Which table, and of which cloud, a file is named after."""

from __future__ import annotations

AWS, KUBERNETES = ("aws_",), ("kubernetes_", "k8s_")
AZURE, GOOGLE = ("azure_", "azuread_"), ("gcp_",)


def named_in(path: str, prefixes: tuple[str, ...]) -> str:
    """The name of a table that a file or one of its folders bears: `aws_x/part-1.csv` -> `aws_x`."""
    for word in reversed(path.lower().replace("\\", "/").split("/")):
        stem = word.split(".")[0]
        if stem.startswith(prefixes):
            return stem
    return ""
