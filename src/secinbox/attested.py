"""Reports inside attestations: in-toto statements, bare or in a DSSE envelope or Sigstore bundle.

What is signed is not verified here: an attestation is read as the report that it carries.
Source: in-toto/attestation, spec v1; secure-systems-lab/dsse, envelope.md; sigstore/cosign,
specs/COSIGN_VULN_ATTESTATION_SPEC.md.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from secinbox.reading import ReportError, decode_json

_MARKS = (b'"predicateType"', b'"payloadType"', b'"dsseEnvelope"')
_LOOK = 64 * 1024  # the marks stand near one of the ends, beside one long value


class _Fields(msgspec.Struct, gc=False):
    predicate: msgspec.Raw = msgspec.Raw()
    payload: str = ""
    payloadType: str = ""
    dsseEnvelope: msgspec.Raw = msgspec.Raw()


_FIELDS = msgspec.json.Decoder(_Fields)  # see decisions/request.py


def carried(data: bytes) -> bytes:
    """The report that an attestation carries; any other report as it is. Raises ReportError."""
    for _ in range(3):  # bundle, envelope, statement
        if data[:64].lstrip()[:1] != b"{" or not any(
            mark in data[:_LOOK] or mark in data[-_LOOK:] for mark in _MARKS
        ):
            return data
        try:
            fields = _FIELDS.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return data  # its connector, or the search for one, says what is wrong
        if fields.dsseEnvelope:
            data = bytes(fields.dsseEnvelope)
        elif fields.payloadType and fields.payload:
            try:
                data = base64.b64decode(fields.payload, validate=True)
            except (binascii.Error, ValueError):
                raise ReportError(
                    "the payload of the attestation is not base64",
                    "$.payload",
                    "download the attestation again",
                ) from None
        elif fields.predicate:
            return _report(bytes(fields.predicate))
        else:
            return data
    return data


def _report(predicate: bytes) -> bytes:
    """A scanner's result or an SBOM stands in the predicate, or one or two levels below."""
    value = decode_json(predicate, Any)
    for path in (("scanner", "result"), ("Data",)):
        found = value
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, str) and found.lstrip()[:1] in ("{", "["):
            return found.encode()
        if isinstance(found, dict):
            return msgspec.json.encode(found)
    return predicate
