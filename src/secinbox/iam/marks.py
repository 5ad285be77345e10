"""Which resources their owners mark as holding restricted data."""

from __future__ import annotations

import re

from secinbox.estate import Item

_CLASS_KEYS = re.compile(
    r"(data[_\-: ]?)?(class(ification)?|sensitivity)|dataclass(ification)?|confidentiality|"
    r"compliance|data[_\-: ]?type|contains[_\-: ]?pii|pii|phi|pci", re.I
)  # fmt: skip
_CLASS_VALUES = re.compile(
    r"(highly[ _\-]?)?(restricted|confidential|secret|sensitive|critical|private)|pii|phi|pci"
    r"([ _\-]?dss)?|hipaa|gdpr|true|yes|customer|financial|health|personal", re.I
)  # fmt: skip


def marked(item: Item) -> str:
    """The tag that says that it holds restricted data; empty where none does."""
    for key, value in item.tags.items():
        if _CLASS_KEYS.fullmatch(key.strip()) and _CLASS_VALUES.fullmatch(value.strip()):
            return f"{key}={value}"
    return ""
