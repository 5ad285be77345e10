"""The unmodified client library of Datadog against our server: one test an operation."""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2 import models as dd
from datadog_api_client.v2.api.security_monitoring_api import SecurityMonitoringApi

from secinbox.api.app import create_app
from secinbox.session import Session
from tests.conftest import CLOCK, ROOT
from tests.test_inbox import asff, guardduty, instance

TYPES = ["misconfiguration", "host_and_container_vulnerability"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with Session(tmp_path_factory.mktemp("public") / "home", CLOCK) as opened:
        rows = [asff(f"A.{n}", instance(n), tags={"env": "prod"}) for n in range(5)]
        opened.import_reports(("r/a.json",), data=json.dumps({"Findings": rows}).encode())
        opened.import_reports(("s/gd.json",), data=json.dumps(guardduty(f"i-{0:017x}")).encode())
        yield opened


@pytest.fixture(scope="module")
def api(session: Session) -> Iterator[SecurityMonitoringApi]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(session, "the-token"), port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        pass
    port = server.servers[0].sockets[0].getsockname()[1]
    configuration = Configuration(host=f"http://127.0.0.1:{port}")
    configuration.api_key["apiKeyAuth"] = "unused"
    configuration.api_key["appKeyAuth"] = "the-token"
    previews(configuration)
    with ApiClient(configuration) as client:
        yield SecurityMonitoringApi(client)
    server.should_exit = True
    thread.join(20)


def operations() -> dict[str, tuple[str, str]]:
    """{operation: (method, path)} of all that the client can ask of findings."""
    probe = SecurityMonitoringApi(ApiClient(Configuration()))
    return {
        e.settings["operation_id"]: (e.settings["http_method"], e.settings["endpoint_path"])
        for e in vars(probe).values()
        if hasattr(e, "settings") and e.settings["endpoint_path"].startswith("/api/v2/security/findings")
    }  # fmt: skip


def previews(configuration: Configuration) -> None:
    """The client asks to be told that operations in preview are wanted."""
    for name in operations():
        with contextlib.suppress(KeyError):
            configuration.unstable_operations[name] = True


def findings_of(*ids: str) -> Any:
    return dd.Findings(
        data=[dd.FindingData(id=i, type=dd.FindingDataType("findings")) for i in ids]
    )


def first(api: SecurityMonitoringApi, rule: int) -> Any:
    (found,) = api.list_security_findings(filter_query=f"@rule.id:A.{rule}").data
    return found


def attributes(api: SecurityMonitoringApi, rule: int) -> dict[str, Any]:
    told: dict[str, Any] = first(api, rule).to_dict()["attributes"]["attributes"]
    return told


PROJECT = dd.CaseManagementProject(data=dd.CaseManagementProjectData(
    id="security", type=dd.CaseManagementProjectDataType("projects")))  # fmt: skip


# -- findings -----------------------------------------------------------------------------------


def test_list_security_findings(api: SecurityMonitoringApi) -> None:
    page = api.list_security_findings(page_limit=2)
    assert len(page.data) == 2 and page.meta.status.value == "done"
    seen, cursor = [d.id for d in page.data], page.meta.page.after
    while cursor:
        page = api.list_security_findings(page_limit=2, page_cursor=cursor)
        seen += [d.id for d in page.data]
        cursor = page.meta.page.to_dict().get("after")
    assert len(seen) == len(set(seen)) == 5
    told = attributes(api, 0)
    assert told["risk"] == {"is_publicly_accessible": False, "has_privileged_access": False,
                            "is_exposed_to_attacks": True, "has_exploit_available": False,
                            "is_production": True}  # fmt: skip
    assert set(told["risk_details"]) == set(told["risk"])
    assert told["risk_details"]["is_production"]["impact_cvss"] == "riskier"
    assert told["is_in_security_inbox"] is True and told["finding_type"] == "misconfiguration"
    query = "@risk.is_exposed_to_attacks:true @severity:high"
    assert [d.id for d in api.list_security_findings(filter_query=query).data] == [
        told["finding_id"]
    ]


def test_search_security_findings(api: SecurityMonitoringApi) -> None:
    body = dd.SecurityFindingsSearchRequest(data=dd.SecurityFindingsSearchRequestData(
        attributes=dd.SecurityFindingsSearchRequestDataAttributes(
            filter="@severity:high", sort=dd.SecurityFindingsSort("@detection_changed_at"),
            page=dd.SecurityFindingsSearchRequestPage(limit=3))))  # fmt: skip
    page = api.search_security_findings(body)
    assert len(page.data) == 3
    body.data.attributes.page.cursor = page.meta.page.after
    assert len(api.search_security_findings(body).data) == 2


def test_mute_security_findings(api: SecurityMonitoringApi) -> None:
    def mute(**fields: Any) -> Any:
        return api.mute_security_findings(dd.MuteFindingsRequest(data=dd.MuteFindingsRequestData(
            type=dd.MuteDataType("mute"),
            attributes=dd.MuteFindingsRequestDataAttributes(mute=dd.MuteFindingsMuteAttributes(**fields)),
            relationships=dd.MuteFindingsRequestDataRelationships(
                findings=findings_of(first(api, 1).id)))))  # fmt: skip

    ends = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)
    told = mute(is_muted=True, reason=dd.MuteFindingsReason("RISK_ACCEPTED"), expire_at=ends,
                description="known")  # fmt: skip
    assert told.data.type.value == "mute"
    after = attributes(api, 1)
    assert after["status"] == "muted"
    assert after["workflow"]["mute"] == {"is_muted": True, "is_muted_by_rule": False,
                                         "reason": "risk_accepted", "expire_at": ends}  # fmt: skip
    mute(is_muted=False, reason=dd.MuteFindingsReason("NO_LONGER_ACCEPTED_RISK"))
    assert attributes(api, 1)["status"] == "open"
    with pytest.raises(ApiException) as refused:
        mute(is_muted=False, reason=dd.MuteFindingsReason("HUMAN_ERROR"))
    assert refused.value.status == 422


def test_update_findings_assignee(api: SecurityMonitoringApi, session: Session) -> None:
    def assign(**fields: str) -> Any:
        return api.update_findings_assignee(dd.AssigneeRequest(data=dd.AssigneeRequestData(
            type=dd.AssigneeDataType("assignee"),
            attributes=dd.AssigneeRequestDataAttributes(**fields),
            relationships=dd.AssigneeRequestDataRelationships(
                findings=findings_of(first(api, 2).id)))))  # fmt: skip

    assert assign(assignee_id="ann").data.attributes.assignee_id == "ann"
    assert attributes(api, 2)["workflow"]["triage"]["assignee"]["id"] == "ann"
    assert session.issues("assignee:ann")["total"] == 1
    assign()
    assert session.issues("assignee:ann")["total"] == 0


def test_update_findings_severity(api: SecurityMonitoringApi, session: Session) -> None:
    def override(value: Any) -> Any:
        return api.update_findings_severity(dd.SeverityOverrideRequest(
            data=dd.SeverityOverrideRequestData(
                type=dd.SeverityOverrideDataType("severity_override"),
                attributes=dd.SeverityOverrideRequestDataAttributes(severity=value),
                relationships=dd.SeverityOverrideRequestDataRelationships(
                    findings=findings_of(first(api, 3).id)))))  # fmt: skip

    override(dd.SeverityOverrideSet(action=dd.SeverityOverrideSetActionType("set"),
                                    value=dd.SeverityOverrideValue("critical")))  # fmt: skip
    assert attributes(api, 3)["severity"] == "critical"
    assert session.issues()["issues"][0]["rule"] == "A.3"
    override(dd.SeverityOverrideClear(action=dd.SeverityOverrideClearActionType("clear")))
    assert attributes(api, 3)["severity"] == "high"


# -- cases and tickets --------------------------------------------------------------------------


def made(api: SecurityMonitoringApi, name: str, request: str, data: str, relations: str, type_: Any,
         **fields: Any) -> Any:  # fmt: skip
    item = getattr(dd, data)(
        type=type_, attributes=getattr(dd, data + "Attributes")(**fields),
        relationships=getattr(dd, relations)(findings=findings_of(first(api, 4).id), project=PROJECT))  # fmt: skip
    return getattr(api, name)(getattr(dd, request)(data=[item]))


def followed(api: SecurityMonitoringApi, kind: str, key: str, type_: Any) -> Any:
    data = f"Attach{kind}RequestData"
    item = getattr(dd, data)(
        type=type_, attributes=getattr(dd, data + "Attributes")(**{key: "https://t.test/browse/SEC-1"}),
        relationships=getattr(dd, data + "Relationships")(
            findings=findings_of(first(api, 4).id), project=PROJECT))  # fmt: skip
    return getattr(dd, f"Attach{kind}Request")(data=item)


def test_create_cases(api: SecurityMonitoringApi) -> None:
    (case,) = made(api, "create_cases", "CreateCaseRequestArray", "CreateCaseRequestData",
                   "CreateCaseRequestDataRelationships", dd.CaseDataType("cases"),
                   title="Look at it", priority=dd.CasePriority("P2")).data  # fmt: skip
    assert case.attributes.title == "Look at it" and case.attributes.priority == "P2"
    assert attributes(api, 4)["workflow"]["integrations"]["cases"][0]["id"] == case.id


def test_attach_case(api: SecurityMonitoringApi) -> None:
    (case,) = made(api, "create_cases", "CreateCaseRequestArray", "CreateCaseRequestData",
                   "CreateCaseRequestDataRelationships", dd.CaseDataType("cases")).data  # fmt: skip
    other = first(api, 0).id
    told = api.attach_case(case.id, dd.AttachCaseRequest(data=dd.AttachCaseRequestData(
        id=case.id, type=dd.CaseDataType("cases"),
        relationships=dd.AttachCaseRequestDataRelationships(findings=findings_of(other)))))  # fmt: skip
    assert other in {i.resource_id for i in told.data.attributes.insights}
    with pytest.raises(ApiException) as missing:
        api.attach_case("nothing", dd.AttachCaseRequest(data=dd.AttachCaseRequestData(
            id="nothing", type=dd.CaseDataType("cases"),
            relationships=dd.AttachCaseRequestDataRelationships(findings=findings_of(other)))))  # fmt: skip
    assert missing.value.status == 404


def test_detach_case(api: SecurityMonitoringApi) -> None:
    api.detach_case(dd.DetachCaseRequest(data=dd.DetachCaseRequestData(
        type=dd.CaseDataType("cases"),
        relationships=dd.DetachCaseRequestDataRelationships(findings=findings_of(first(api, 4).id)))))  # fmt: skip
    assert "integrations" not in attributes(api, 4)["workflow"]


def test_create_jira_issues(api: SecurityMonitoringApi) -> None:
    (case,) = made(api, "create_jira_issues", "CreateJiraIssueRequestArray",
                   "CreateJiraIssueRequestData", "CreateJiraIssueRequestDataRelationships",
                   dd.JiraIssuesDataType("jira_issues"), title="T").data  # fmt: skip
    assert "no connection" in case.attributes.jira_issue.error_message


def test_attach_jira_issue(api: SecurityMonitoringApi) -> None:
    told = api.attach_jira_issue(
        followed(api, "JiraIssue", "jira_issue_url", dd.JiraIssuesDataType("jira_issues")))  # fmt: skip
    assert told.data.attributes.jira_issue.result.issue_key == "SEC-1"


def test_create_linear_issues(api: SecurityMonitoringApi) -> None:
    (case,) = made(api, "create_linear_issues", "CreateLinearIssueRequestArray",
                   "CreateLinearIssueRequestData", "CreateLinearIssueRequestDataRelationships",
                   dd.LinearIssuesDataType("linear_issues"), title="T").data  # fmt: skip
    assert case.attributes.linear_issue.status == "FAILED"


def test_attach_linear_issue(api: SecurityMonitoringApi) -> None:
    told = api.attach_linear_issue(
        followed(api, "LinearIssue", "linear_issue_url", dd.LinearIssuesDataType("linear_issues")))  # fmt: skip
    assert told.data.attributes.linear_issue.result.url == "https://t.test/browse/SEC-1"


def test_create_service_now_tickets(api: SecurityMonitoringApi) -> None:
    (case,) = made(api, "create_service_now_tickets", "CreateServiceNowTicketRequestArray",
                   "CreateServiceNowTicketRequestData", "CreateServiceNowTicketRequestDataRelationships",
                   dd.ServiceNowTicketsDataType("servicenow_tickets"), title="T").data  # fmt: skip
    assert case.attributes.servicenow_ticket.status == "FAILED"


def test_attach_service_now_ticket(api: SecurityMonitoringApi) -> None:
    told = api.attach_service_now_ticket(followed(
        api, "ServiceNowTicket", "servicenow_ticket_url",
        dd.ServiceNowTicketsDataType("servicenow_tickets")))  # fmt: skip
    assert told.data.attributes.servicenow_ticket.result.url == "https://t.test/browse/SEC-1"


# -- automation pipelines -----------------------------------------------------------------------

ACTIONS: dict[str, tuple[str, Any]] = {
    "inbox_rule": ("InboxRule", dd.InboxRuleAction(description="why")),
    "mute_rule": ("MuteRule", dd.MuteRuleAction(reason=dd.MuteReason("no_fix"), expire_at=1900000000000)),
    "due_date_rule": ("DueDateRule", dd.DueDateRuleAction(
        due_from=dd.DueDateFrom("fix_available"), due_days_per_severity=[
            dd.DueDatePerSeverityItem(severity=dd.DueDateSeverity("high"), due_in_days=30)])),
    "severity_modifier_rule": ("SeverityModifierRule", dd.SeverityModifierRuleShiftAction(
        type=dd.SeverityModifierRuleShiftActionType("shift"),
        severity_delta=dd.SeverityModifierSeverityDelta("up_one"))),
    "ticket_creation_rule": ("TicketCreationRule", dd.TicketCreationRuleAction(
        max_tickets_per_day=5, project_id=uuid.UUID(int=7), target=dd.TicketCreationTarget("jira"),
        fields={"labels": ["x"]})),
}  # fmt: skip
EACH = pytest.mark.parametrize("kind", sorted(ACTIONS))


def call(api: SecurityMonitoringApi, verb: str, kind: str, *rest: Any) -> Any:
    return getattr(api, f"{verb}_security_findings_automation_{kind}")(*rest)


def body(kind: str, verb: str, name: str, **more: Any) -> Any:
    model, action = ACTIONS[kind]
    data = getattr(dd, f"{model}Data{verb}")(
        type=getattr(dd, f"{model}Type")(f"{kind}s"), **more,
        attributes=getattr(dd, f"{model}AttributesCreate")(
            name=name, enabled=False, action=action, rule=dd.AutomationRuleScope(
                finding_types=[dd.SecurityFindingType(t) for t in TYPES],
                query="@risk.is_production:true")))  # fmt: skip
    return getattr(dd, f"{model}{verb}Request")(data=data)


@EACH
def test_create_rule(api: SecurityMonitoringApi, kind: str) -> None:
    told = call(api, "create", kind, body(kind, "Create", "Made")).data
    attributes_ = told.attributes
    assert attributes_.name == "Made" and attributes_.enabled is False
    assert [t.value for t in attributes_.rule.finding_types] == sorted(
        TYPES, key=lambda t: [x.value for x in attributes_.rule.finding_types].index(t))  # fmt: skip
    assert attributes_.rule.query == "@risk.is_production:true"
    sent = ACTIONS[kind][1].to_dict()
    assert {k: attributes_.action.to_dict()[k] for k in sent} == sent
    assert attributes_.created_by.type.value == "user" and attributes_.created_at > 0


@EACH
def test_get_rule(api: SecurityMonitoringApi, kind: str) -> None:
    made_ = call(api, "create", kind, body(kind, "Create", "Get me")).data
    assert call(api, "get", kind, made_.id).data.attributes.name == "Get me"
    with pytest.raises(ApiException) as missing:
        call(api, "get", kind, uuid.uuid4())
    assert missing.value.status == 404


@EACH
def test_list_rules(api: SecurityMonitoringApi, kind: str) -> None:
    made_ = [call(api, "create", kind, body(kind, "Create", f"L{n}")).data.id for n in range(2)]
    page = call(api, "list", kind + "s")
    assert set(made_) <= {r.id for r in page.data}
    assert page.meta.page.total_filtered_count == len(page.data)
    verb = getattr(api, f"list_security_findings_automation_{kind}s")
    assert len(verb(page_size=1, page_number=1).data) == 1


@EACH
def test_update_rule(api: SecurityMonitoringApi, kind: str) -> None:
    made_ = call(api, "create", kind, body(kind, "Create", "Before")).data
    told = call(api, "update", kind, made_.id, body(kind, "Update", "After", id=made_.id)).data
    assert (told.id, told.attributes.name) == (made_.id, "After")


@EACH
def test_reorder_rules(api: SecurityMonitoringApi, kind: str) -> None:
    for n in range(2):
        call(api, "create", kind, body(kind, "Create", f"R{n}"))
    ids = [r.id for r in call(api, "list", kind + "s").data][::-1]
    model = ACTIONS[kind][0]

    def order(wanted: list[Any]) -> Any:
        items = [getattr(dd, f"{model}ReorderItem")(id=i, type=getattr(dd, f"{model}Type")(f"{kind}s"))
                 for i in wanted]  # fmt: skip
        return call(api, "reorder", kind + "s", getattr(dd, f"{model}ReorderRequest")(data=items))

    assert [r.id for r in order(ids).data] == ids
    assert [r.id for r in call(api, "list", kind + "s").data] == ids
    with pytest.raises(ApiException) as partial:
        order(ids[:1])
    assert partial.value.status == 422


@EACH
def test_delete_rule(api: SecurityMonitoringApi, kind: str) -> None:
    made_ = call(api, "create", kind, body(kind, "Create", "Gone")).data
    call(api, "delete", kind, made_.id)
    with pytest.raises(ApiException):
        call(api, "get", kind, made_.id)


def test_default_inbox_rules(api: SecurityMonitoringApi, session: Session) -> None:
    rules = api.list_security_findings_automation_default_inbox_rules().data
    assert "misconfiguration_default_rule" in {r.id for r in rules}
    for rule in rules:
        one = api.get_security_findings_automation_default_inbox_rule(rule.id).data
        assert one.attributes.rule.query and one.attributes.enabled
    name = "misconfiguration_default_rule"
    off = api.disable_security_findings_automation_default_inbox_rule(name).data
    assert off.attributes.enabled is False and session.issues()["total"] == 0
    on = api.enable_security_findings_automation_default_inbox_rule(name).data
    assert on.attributes.enabled is True and session.issues()["total"] > 0


def test_without_the_key_nothing_changes(api: SecurityMonitoringApi) -> None:
    configuration = Configuration(host=api.api_client.configuration.host)
    configuration.api_key["appKeyAuth"] = "wrong"
    previews(configuration)
    with ApiClient(configuration) as client, pytest.raises(ApiException) as refused:
        call(SecurityMonitoringApi(client), "create", "mute_rule", body("mute_rule", "Create", "x"))
    assert refused.value.status == 401


def test_the_table_in_the_docs_names_every_operation() -> None:
    text = (Path(ROOT) / "docs" / "guides" / "api.md").read_text()
    missing = [n for n in operations() if f"`{n}`" not in text]
    assert not missing
    tests = Path(__file__).read_text()
    for name in operations():
        rule = any(name.endswith((f"_automation_{k}", f"_automation_{k}s")) for k in ACTIONS)
        assert rule or f"{name}(" in tests or f'"{name}"' in tests, name
