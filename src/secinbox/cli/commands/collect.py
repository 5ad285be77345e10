"""Read the inventory of a cloud or a cluster through its API, and import it.

Only configuration is read, with describe, list and get calls. The answers are kept as files that
`secinbox import` reads too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from secinbox.cli.opening import home_of, open_session
from secinbox.cli.printing import note, one_line, print_json
from secinbox.cli.progress import Bar


@click.group("collect", help=__doc__)
def command() -> None:
    pass


_TO = click.option(
    "--to", type=click.Path(file_okay=False), metavar="DIR",
    help="Folder for the answers. [default: collected/ in the home]",
)  # fmt: skip
_NO_IMPORT = click.option("--no-import", is_flag=True, help="Only write the files.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout (see docs).")


@command.command("aws")
@_TO
@click.option("--account", "roles", multiple=True, metavar="ROLE_ARN",
              help="Enter another account by this role; repeatable.")  # fmt: skip
@click.option("--organization", "organization_role", default="", metavar="ROLE_NAME",
              help="Enter every account of the organisation by the role of this name.")  # fmt: skip
@click.option("--external-id", default="", metavar="ID", help="External id for those roles.")
@click.option("--region", "regions", multiple=True, help="Only this region; repeatable.")
@click.option("--profile", default="", help="Profile of the AWS command line.")
@click.option("--jobs", default=16, show_default=True, type=click.IntRange(1, 128),
              help="Requests in flight.")  # fmt: skip
@click.option("--last-accessed", is_flag=True,
              help="Also when each identity last used which service (two calls each).")  # fmt: skip
@click.option("--print-policy", is_flag=True, help="Print the least IAM policy that is needed.")
@click.option("--part", default=None, type=click.IntRange(1), metavar="N",
              help="Print this part of it: each fits a managed policy (6,144 characters).")  # fmt: skip
@_NO_IMPORT
@_JSON
@click.pass_context
def aws(ctx: click.Context, /, to: str | None, print_policy: bool, part: int | None, no_import: bool,
        as_json: bool, **asked: Any) -> None:  # fmt: skip
    """AWS: accounts and regions that you can read.

    Signs in as the AWS command line does. A run that was stopped goes on where it was; what is
    denied or missing is listed, and what hangs on it is unknown.
    """
    from secinbox.collect.aws import Asked, collect

    if print_policy or part:
        _print_policy(asked["last_accessed"], bool(asked["organization_role"]), part or 0)
        return
    folder = Path(to) if to else home_of(ctx) / "collected" / "aws"
    with Bar("collecting", as_json) as step:
        done = collect(folder, Asked(**asked), step)
    answer: dict[str, Any] = {
        "folder": str(done.folder),
        "accounts": done.accounts,
        "calls": done.calls,
        "requests": done.requests,
        "in_flight": done.in_flight,
        "resumed": done.resumed,
        "gaps": done.gaps,
        "refused": done.refused,
    }
    names = ", ".join(done.accounts)
    note(f"{done.calls} calls, {done.requests} requests in {names}, written to {done.folder}; at most "
         f"{done.in_flight['most']} in flight, {done.in_flight['mean']} on average")  # fmt: skip
    for role, why in done.refused.items():
        note(f"not entered: {one_line(role)}: {one_line(why, 200)}")
    _tell_gaps(done.gaps)
    _finish(ctx, answer, [str(done.folder)], no_import, as_json)
    if done.refused:
        raise SystemExit(4)


def _print_policy(last_accessed: bool, organization: bool, part: int) -> None:
    from secinbox.collect.aws.policy import MOST, parts, policy, size

    whole = policy(last_accessed, organization)
    made = parts(whole)
    if part > len(made):
        raise click.UsageError(f"the policy has {len(made)} parts")
    print_json(made[part - 1] if part else whole)
    if not part and len(made) > 1:
        numbers = ", ".join(f"--part {n}" for n in range(1, len(made) + 1))
        note(f"{size(whole)} characters: an inline policy of a role; AWS takes {MOST} in a managed policy, "
             f"which {numbers} print")  # fmt: skip


@command.command("kubernetes")
@_TO
@click.option("--context", default="", help="Context of the kubeconfig. [default: the current one]")
@click.option("--cluster", default="", help="Name of the cluster here. [default: the context's]")
@_NO_IMPORT
@_JSON
@click.pass_context
def kubernetes(ctx: click.Context, /, to: str | None, context: str, cluster: str, no_import: bool,
               as_json: bool) -> None:  # fmt: skip
    """A Kubernetes cluster that you can read; values of secrets are not kept."""
    from secinbox.collect.kubernetes import collect

    folder = Path(to) if to else home_of(ctx) / "collected"
    with Bar("collecting", as_json) as step:
        done = collect(folder, context, cluster, step)
    answer: dict[str, Any] = {
        "folder": str(done.folder), "cluster": done.cluster, "kinds": done.kinds, "gaps": done.gaps,
    }  # fmt: skip
    total = sum(done.kinds.values())
    note(f"{total} objects of {len(done.kinds)} kinds in {done.cluster}, written to {done.folder}")
    for kind, why in done.gaps.items():
        note(f"not read: {kind} ({one_line(why)})")
    _finish(ctx, answer, [str(done.folder)], no_import, as_json, cluster=done.cluster)


@command.command("azure")
@_TO
@click.option("--subscription", "subscriptions", multiple=True, metavar="ID",
              help="Only this subscription; repeatable. [default: all that can be read]")  # fmt: skip
@click.option("--cloud", default="public", show_default=True,
              type=click.Choice(["public", "usgov", "china"]))  # fmt: skip
@click.option("--no-directory", is_flag=True, help="Leave Entra ID out.")
@click.option("--jobs", default=8, show_default=True, type=click.IntRange(1, 64),
              help="Requests in flight.")  # fmt: skip
@click.option("--print-policy", is_flag=True,
              help="Print the least role and the permissions of Microsoft Graph that are needed.")  # fmt: skip
@_NO_IMPORT
@_JSON
@click.pass_context
def azure(ctx: click.Context, /, to: str | None, print_policy: bool, no_import: bool, as_json: bool,
          no_directory: bool, **asked: Any) -> None:  # fmt: skip
    """Azure subscriptions and Entra ID that you can read.

    Signs in as the Azure command line does, or as a managed identity. A run that was stopped goes on
    where it was; what is denied or missing is listed, and what hangs on it is unknown.
    """
    from secinbox.collect.azure import Asked, collect, policy

    if print_policy:
        print_json(policy())
        return
    folder = Path(to) if to else home_of(ctx) / "collected" / "azure"
    with Bar("collecting", as_json) as step:
        done = collect(folder, Asked(directory=not no_directory, **asked), step)
    answer: dict[str, Any] = {
        "folder": str(done.folder), "subscriptions": done.subscriptions, "rows": done.rows,
        "requests": done.requests, "resumed": done.resumed, "gaps": done.gaps,
    }  # fmt: skip
    note(f"{done.rows} rows, {done.requests} requests in {len(done.subscriptions)} subscriptions, "
         f"written to {done.folder}")  # fmt: skip
    for name, why in sorted(done.gaps.items()):
        note(f"not read: {name}: {one_line(why, 200)}")
    _finish(ctx, answer, [str(done.folder)], no_import, as_json)


@command.command("gcp")
@_TO
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE",
              help="organizations/NUMBER, folders/NUMBER or projects/NAME; repeatable.")  # fmt: skip
@click.option("--print-policy", is_flag=True, help="Print the least role that is needed.")
@_NO_IMPORT
@_JSON
@click.pass_context
def gcp(ctx: click.Context, /, to: str | None, scopes: tuple[str, ...], print_policy: bool,
        no_import: bool, as_json: bool) -> None:  # fmt: skip
    """Google Cloud: an organisation, folder or project, through Cloud Asset Inventory.

    Signs in with the application default credentials. A run that was stopped goes on where it was;
    what is denied is listed, and what hangs on it is unknown.
    """
    from secinbox.collect.gcp import Asked, collect, policy

    if print_policy:
        print_json(policy())
        return
    if not scopes:
        raise click.UsageError("name what to read: --scope organizations/NUMBER")
    folder = Path(to) if to else home_of(ctx) / "collected" / "gcp"
    with Bar("collecting", as_json) as step:
        done = collect(folder, Asked(scopes), step)
    answer: dict[str, Any] = {
        "folder": str(done.folder), "scopes": done.scopes, "assets": done.assets,
        "requests": done.requests, "resumed": done.resumed, "gaps": done.gaps,
    }  # fmt: skip
    note(f"{done.assets} assets, {done.requests} requests, written to {done.folder}")
    for name, why in sorted(done.gaps.items()):
        note(f"not read: {name}: {one_line(why, 200)}")
    _finish(ctx, answer, [str(done.folder)], no_import, as_json)


def _finish(ctx: click.Context, answer: dict[str, Any], paths: list[str], no_import: bool,
            as_json: bool, **options: str) -> None:  # fmt: skip
    """Imports what was written, unless it is only wanted as files."""
    if not no_import:
        with open_session(ctx) as session:
            answer["files"] = session.import_reports(tuple(paths), options=options)["files"]
        states = [f["status"] for f in answer["files"]]
        resources = sum(f["records"]["resources"] for f in answer["files"])
        note(f"{states.count('imported')} files imported, {resources} resources; "
             "see `secinbox list`")  # fmt: skip
        for file in answer["files"]:
            if file["status"] == "failed":
                note(f"FAILED {one_line(file['path'])}: {file['error']['message']}")
    if as_json:
        print_json(answer)


def _tell_gaps(gaps: dict[str, list[dict[str, Any]]]) -> None:
    """Each call once, with the accounts, regions and reasons."""
    for account, rows in sorted(gaps.items()):
        by_call: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            key = (f"{row['service']}.{row['op']}", row["error"])
            by_call.setdefault(key, []).append(row["region"])
        for (call, error), regions in sorted(by_call.items()):
            times = f", {len(regions)} times" if len(regions) > 1 else ""
            places = ", ".join(sorted(set(regions))[:3])
            note(f"not read in {account} ({places}): {call}: {one_line(error)}{times}")
