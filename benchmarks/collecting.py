"""Whether reading AWS is bound by AWS: `python benchmarks/collecting.py [--latency 0.05] [--jobs 16]`.

The client library, its signatures and parsers are the real ones; only the wire is not there. Every
request is answered after the latency, lists of functions and buckets with many elements, so that follow-up
calls are asked about each. Beside the time stands the limit: requests x latency / jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from secinbox.collect.aws.accounts import Account
from secinbox.collect.aws.running import Collection
from secinbox.collect.aws.writing import Folder

A, R = "111122223333", "eu-west-1"


# Services that answer in XML.
_XML = ("ec2.", "iam.", "rds.", "s3", "elasticloadbalancing.", "sns.", "cloudformation.", "autoscaling.",
        "elasticache.", "redshift.", "cloudfront.", "route53.", "sts.")  # fmt: skip


class _Raw:
    """A body as the HTTP library gives it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._data

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._data


def _functions(count: int) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{R}:{A}:function:"
    return {"Functions": [{"FunctionName": f"f{n}", "FunctionArn": f"{arn}f{n}", "Runtime": "python3.13"}
                          for n in range(count)]}  # fmt: skip


def answered(latency: float, functions: int) -> Any:
    """A handler for botocore's event before a request is sent."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        time.sleep(latency)
        path = request.url.partition("amazonaws.com")[2].partition("?")[0].rstrip("/")
        body = b"{}"
        if path == "/2015-03-31/functions":
            body = json.dumps(_functions(functions)).encode()
        elif "X-Amz-Target" not in request.headers and any(s in request.url for s in _XML):
            body = b"<r/>"
        return AWSResponse(request.url, 200, {"content-type": "x"}, _Raw(body))

    return answer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--latency", type=float, default=0.05)
    options.add_argument("--jobs", type=int, default=16)
    options.add_argument("--functions", type=int, default=500)
    given = options.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_MAX_ATTEMPTS": "1",
                   "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
    session = boto3.Session(region_name=R)
    session.events.register("before-send.*.*", answered(given.latency, given.functions))
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(Path(place))
        folder.open()
        run = Collection(folder, given.jobs)
        start, cpu = time.monotonic(), time.process_time()
        run.run([Account(A, session, given.jobs, (R,))])
        seconds, worked = time.monotonic() - start, time.process_time() - cpu
        folder.close()
    limit = run.flight.requests * given.latency / given.jobs
    print(
        f"{run.flight.requests} requests of {given.latency * 1000:.0f} ms, {given.jobs} jobs: {seconds:.2f} s, "
        f"limit {limit:.2f} s, ratio {seconds / limit:.2f}; at most {run.flight.most} in flight, "
        f"{run.flight.mean:.1f} on average; {worked:.2f} CPU s"
    )
    if not run.flight.requests:
        sys.exit("nothing was asked")


if __name__ == "__main__":
    main()
