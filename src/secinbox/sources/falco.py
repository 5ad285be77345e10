"""Falco alerts (`json_output: true`) as lines or a list, and Falcosidekick's payload: signals.

Source: falco.org, "Falco outputs" and "Supported fields"; falcosidekick, types.FalcoPayload.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.fingerprint import image_uid
from secinbox.reading import Head, Report, parse_time
from secinbox.records import AnyRecord, Signal, Skipped
from secinbox.sources._cloud import signal_names
from secinbox.sources._code import digest
from secinbox.sources._names import address_name, is_private, kubernetes_uid
from secinbox.sources._shape import Node
from secinbox.vocabulary import severity_from_word

TITLE = "Falco"


def recognise(head: Head) -> int:
    if head.has("rule", "priority", "output") and (
        head.has("output_fields") or head.has("time") or head.has("source")
    ):
        return 100
    return 0


def read(report: Report) -> Iterator[AnyRecord]:
    documents: Iterator[tuple[str, Any]] = report.documents()
    for place, value in documents:
        event = Node(value, place).require_object()
        moment = parse_time(event.at("time").value)
        if not event.text("rule"):
            yield Skipped(reason="a line that is no Falco alert", harmless=True, place=place)
            continue
        if moment is None:
            yield Skipped(reason="an alert without a time", place=place)
            continue
        fields = {
            key: "" if isinstance(node.value, (dict, list)) else node.text()
            for key, node in event.entries("output_fields")
        }
        word = event.text("priority")
        tags = event.strings("tags")
        technique = next((t for t in tags if re.fullmatch(r"T\d{4}(\.\d+)?", t)), "")
        technique = technique or next((t for t in tags if t.startswith("mitre_")), "")
        output = event.text("output")
        yield Signal(
            id=event.text("uuid") or digest(event.text("rule"), event.text("time"), output),
            time=moment,
            title=event.text("rule"),
            severity=severity_from_word(word),
            severity_word=word,
            description=output,
            resources=signal_names(*_names(report, event, fields)),
            technique=technique,
            source_address=_remote(fields),
            place=place,
        )


def _names(report: Report, event: Node, fields: dict[str, str]) -> Iterator[str]:
    def field(*keys: str) -> str:
        found = next((fields[k] for k in keys if fields.get(k)), "")
        return "" if found in ("<NA>", "N/A", "null", "None") else found

    namespace = field("k8s.ns.name", "k8smeta.ns.name", "ka.target.namespace")
    pod = field("k8s.pod.name", "k8smeta.pod.name")
    cluster = field("k8s.cluster.name", "cluster", "cluster_name") or report.options.get(
        "cluster", ""
    )
    container = field("container.name")
    # The kubelet names containers k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT.
    parts = container.split("_")
    if parts[0] == "k8s" and len(parts) >= 5 and not pod:
        pod, namespace = parts[2], parts[3]
    if pod:
        yield f"pod:{namespace or 'default'}/{pod}"
        if cluster:
            yield kubernetes_uid(cluster, namespace or "default", "pod", pod)
    kinds = (("deployment", "deployment"), ("rs", "replicaset"), ("rc", "replicationcontroller"))
    for short, kind in kinds:
        name = field(f"k8s.{short}.name", f"k8smeta.{short}.name")
        if name and cluster:
            yield kubernetes_uid(cluster, namespace or "default", kind, name)
    target, kind = field("ka.target.name"), field("ka.target.resource").removesuffix("s")
    if target and kind == "pod":
        yield f"pod:{namespace or 'default'}/{target}"
    uid = field("container.full_id", "container.id")
    if uid and uid != "host":
        yield f"container:{uid}"
    repository = field("container.image.repository")
    image = field("container.image")
    if repository:
        tag = field("container.image.tag")
        checksum = field("container.image.digest")
        if checksum:
            yield image_uid(repository, checksum)
        if tag or not checksum:
            yield image_uid(f"{repository}:{tag}" if tag else repository)
    elif image:
        yield image_uid(image)
    host = event.text("hostname") or field("evt.hostname", "k8s.node.name")
    if host and (uid in ("", "host")):
        yield f"host:{host}"
    yield field("aws.instance_id", "ct.request.instanceid")
    yield field("ct.user.arn")
    for key in ("ct.request.bucketname", "ct.bucket"):
        if field(key):
            yield f"arn:aws:s3:::{field(key)}"
    for key in ("fd.sip", "fd.cip", "fd.lip"):
        if is_private(field(key)):
            yield address_name(field(key))


def _remote(fields: dict[str, str]) -> str:
    for key in ("fd.rip", "fd.cip", "fd.sip", "ct.srcip"):
        if address_name(fields.get(key, "")) and not is_private(fields[key]):
            return fields[key]
    found = re.search(r"(?:->)?(\d+\.\d+\.\d+\.\d+):\d+$", fields.get("fd.name", ""))
    if found and address_name(found.group(1)) and not is_private(found.group(1)):
        return found.group(1)
    return ""
