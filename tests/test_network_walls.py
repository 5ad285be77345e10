"""AWS WAF before a balancer, a distribution, an API and AppSync: whom a web ACL lets through."""

from __future__ import annotations

from typing import Any

import pytest

from tests.answers import BALANCER, GLOBAL, Answers, machine
from tests.flips import holds
from tests.scenes import A, R

WALL = f"arn:aws:wafv2:{R}:{A}:regional/webacl/w/1"
SET = f"arn:aws:wafv2:{R}:{A}:regional/ipset/office/1"
API, GRAPH = f"arn:aws:apigateway:{R}::/restapis/abc", f"arn:aws:appsync:{R}:{A}:apis/g"
DOOR = f"arn:aws:cloudfront::{A}:distribution/E1"
OFFICE = "203.0.113.0/24"
BACK = machine("back")
Row = dict[str, Any]
IN_SET: Row = {"IPSetReferenceStatement": {"ARN": SET}}
COUNTRY: Row = {"GeoMatchStatement": {"CountryCodes": ["XX"]}}
HEADER: Row = {
    "ByteMatchStatement": {
        "FieldToMatch": {"SingleHeader": {"Name": "x-key"}},
        "SearchString": "s3cret",
    }
}


def rule(priority: int, action: str, statement: Row) -> Row:
    return {
        "Name": f"r{priority}",
        "Priority": priority,
        "Action": {action: {}},
        "Statement": statement,
    }


def negated(statement: Row) -> Row:
    return {"NotStatement": {"Statement": statement}}


def wall(found: Answers, *rules: Row, default: str = "Block", addresses: tuple[str, ...] | None = (OFFICE,),
         told: bool = True) -> Answers:  # fmt: skip
    listed = {"Name": "w", "Id": "1", "ARN": WALL}
    found.lists("wafv2.list_web_acls", "WebACLs", listed)
    if told:
        found.says("wafv2.get_web_acl", {"WebACL": {**listed, "DefaultAction": {default: {}}, "Rules": list(rules)}},
                   {"Name": "w", "Id": "1", "Scope": "REGIONAL"})  # fmt: skip
    if addresses is not None:
        found.says("wafv2.get_ip_set", {"IPSet": {"Name": "office", "Id": "1", "ARN": SET, "Addresses": list(addresses)}},
                   {"Name": "office", "Id": "1", "Scope": "REGIONAL"})  # fmt: skip
    return found


def balancer(*rules: Row, guards: bool = True, **more: Any) -> Answers:
    """An open balancer before a machine, behind a web ACL."""
    found = Answers().balanced()
    found.says("wafv2.list_resources_for_web_acl", {"ResourceArns": [BALANCER] if guards else []},
               {"WebACLArn": WALL, "ResourceType": "APPLICATION_LOAD_BALANCER"})  # fmt: skip
    return wall(found, *rules, **more)


OWN = f"arn:aws:wafv2:{R}:{A}:regional/rulegroup/own/1"


def grouped(*rules: Row, told: bool = True, override: str = "None", default: str = "Block",
            addresses: tuple[str, ...] = (OFFICE,), place: str = "Rules", **more: Any) -> Answers:  # fmt: skip
    """A web ACL with a group of the account's own, by itself or by the firewall manager."""
    named = {"RuleGroupReferenceStatement": {"ARN": OWN, **more}}
    row = {"Name": "g", "Priority": 1, "OverrideAction": {override: {}},
           "Statement" if place == "Rules" else "FirewallManagerStatement": named}  # fmt: skip
    found = balancer(*([row] if place == "Rules" else []), default=default, addresses=addresses)
    if place != "Rules":
        found.says("wafv2.get_web_acl", {"WebACL": {"Name": "w", "Id": "1", "ARN": WALL, "Rules": [], place: [row],
                                                    "DefaultAction": {default: {}}}},
                   {"Name": "w", "Id": "1", "Scope": "REGIONAL"})  # fmt: skip
    if told:
        found.says("wafv2.get_rule_group", {"RuleGroup": {"Name": "own", "Id": "1", "ARN": OWN, "Rules": list(rules)}},
                   {"Name": "own", "Id": "1", "Scope": "REGIONAL"})  # fmt: skip
    return found


OURS = rule(1, "Allow", IN_SET)
OTHERS = rule(1, "Block", negated(IN_SET))
RULES: list[tuple[str, Answers, str, str]] = [
    ("a group that admits the office", grouped(OURS), "no", OFFICE),
    ("a group that admits everyone", grouped(OURS, addresses=("0.0.0.0/0",)), "yes", ""),
    ("a group that keeps others out", grouped(OTHERS, default="Allow"), "no", OFFICE),
    ("that is only counted", grouped(OTHERS, default="Allow", override="Count"), "yes", ""),
    ("whose rule is only counted", grouped(OTHERS, default="Allow", RuleActionOverrides=[
        {"Name": "r1", "ActionToUse": {"Count": {}}}]), "yes", ""),
    ("whose rule is left out", grouped(OTHERS, default="Allow", ExcludedRules=[{"Name": "r1"}]), "yes", ""),
    ("another rule is left out", grouped(OTHERS, default="Allow", ExcludedRules=[{"Name": "r2"}]), "no", OFFICE),
    ("a group that nobody read", grouped(default="Allow", told=False), "unknown", "rules of the group own"),
    ("a group that nobody read, all blocked", grouped(told=False), "unknown", "rules of the group own"),
    ("of the firewall manager, first", grouped(OTHERS, default="Allow", place="PreProcessFirewallManagerRuleGroups"),
     "no", OFFICE),
    ("of the firewall manager, last", grouped(OURS, place="PostProcessFirewallManagerRuleGroups"), "no", OFFICE),
    ("everyone", balancer(default="Allow"), "yes", ""),
    ("nobody", balancer(), "no", "admits nobody"),
    ("an office", balancer(rule(1, "Allow", IN_SET)), "no", OFFICE),
    ("not an office", balancer(rule(1, "Block", IN_SET), default="Allow"), "yes", ""),
    ("all but the office blocked", balancer(rule(1, "Block", negated(IN_SET)), default="Allow"), "no", OFFICE),
    ("two halves", balancer(rule(1, "Allow", IN_SET), addresses=("0.0.0.0/1", "128.0.0.0/1")), "yes", ""),
    ("it guards something else", balancer(guards=False), "yes", ""),
    ("counted only", balancer(rule(1, "Count", negated(IN_SET)), default="Allow"), "yes", ""),
    ("asked for a captcha", balancer(rule(1, "Captcha", negated(IN_SET)), default="Allow"), "yes", ""),
    ("allowed before it is blocked", balancer(rule(2, "Block", negated(IN_SET)), rule(1, "Allow", negated(HEADER)),
                                              default="Allow"), "yes", ""),
    ("a country", balancer(rule(1, "Allow", COUNTRY)), "yes", ""),
    ("all but a country blocked", balancer(rule(1, "Block", negated(COUNTRY)), default="Allow"), "yes", ""),
    ("the office of a country", balancer(rule(1, "Allow", {"AndStatement": {"Statements": [COUNTRY, IN_SET]}})), "no", OFFICE),
    ("the office or a country", balancer(rule(1, "Allow", {"OrStatement": {"Statements": [COUNTRY, IN_SET]}})), "yes", ""),
    ("who sends a header", balancer(rule(1, "Allow", HEADER)), "unknown", "x-key"),
    ("and not its secret in the text", balancer(rule(1, "Allow", HEADER)), "unknown", "-s3cret"),
    ("an address that the client writes", balancer(rule(1, "Allow", {"IPSetReferenceStatement": {
        "ARN": SET, "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For"}}})), "yes", ""),
    ("managed rules", balancer({"Name": "m", "Priority": 1, "OverrideAction": {"None": {}}, "Statement": {
        "ManagedRuleGroupStatement": {"Name": "AWSManagedRulesCommonRuleSet"}}}, default="Allow"), "yes", ""),
    ("limited in number", balancer(rule(1, "Block", {"RateBasedStatement": {"Limit": 100}}), default="Allow"), "yes", ""),
    ("its rules unread", balancer(told=False), "unknown", "rules of the web ACL w"),
    ("its addresses unread", balancer(rule(1, "Allow", IN_SET), addresses=None), "unknown", "addresses of office"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "made", "value", "told"), RULES, ids=[r[0] for r in RULES])
def test_rules(case: str, made: Answers, value: str, told: str) -> None:
    holds(made.exposure()[BALANCER], value, told)
    assert made.exposure()[BACK].value == value


def distribution(link: str = WALL) -> Answers:
    config = {"Id": "E1", "ARN": DOOR, "Enabled": True, "DomainName": "d.cloudfront.net", "WebACLId": link,
              "DefaultCacheBehavior": {"TargetOriginId": "o"}, "Origins": {"Items": [{"Id": "o", "DomainName": "x.test"}]}}  # fmt: skip
    return Answers(network=False).says(
        "cloudfront.list_distributions", {"DistributionList": {"Items": [config]}}, region=GLOBAL)  # fmt: skip


def api(link: str = WALL, other: str | None = None) -> Answers:
    stages: list[Row] = [{"stageName": "prod", "webAclArn": link}]
    if other is not None:
        stages.append({"stageName": "test", "webAclArn": other})
    found = Answers(network=False).says("apigateway.get_rest_apis", {"items": [{
        "id": "abc", "name": "shop", "endpointConfiguration": {"types": ["REGIONAL"]}}]})  # fmt: skip
    found.says("apigateway.get_resources", {"items": [{"id": "r", "path": "/", "resourceMethods": {"GET": {
        "httpMethod": "GET", "authorizationType": "NONE"}}}]}, {"restApiId": "abc", "embed": ["methods"]})  # fmt: skip
    return found.says("apigateway.get_stages", {"item": stages}, {"restApiId": "abc"})


def graph(link: str = WALL) -> Answers:
    return Answers(network=False).says("appsync.list_graphql_apis", {"graphqlApis": [{
        "apiId": "g", "name": "g", "arn": GRAPH, "authenticationType": "API_KEY", "wafWebAclArn": link}]})  # fmt: skip


ALLOWED = rule(1, "Allow", IN_SET)
FRONTS: list[tuple[str, Answers, str, str, str]] = [
    ("a distribution", wall(distribution(), ALLOWED), DOOR, "no", OFFICE),
    ("a distribution, everyone", wall(distribution(), default="Allow"), DOOR, "yes", ""),
    ("a distribution without one", wall(distribution(""), ALLOWED), DOOR, "yes", ""),
    ("a stage", wall(api(), ALLOWED), API, "no", OFFICE),
    ("a stage, everyone", wall(api(), default="Allow"), API, "yes", ""),
    ("one stage of two", wall(api(other=""), ALLOWED), API, "yes", ""),
    ("both stages", wall(api(other=WALL), ALLOWED), API, "no", OFFICE),
    ("AppSync", wall(graph(), ALLOWED), GRAPH, "no", OFFICE),
    ("AppSync without one", wall(graph(""), ALLOWED), GRAPH, "yes", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "made", "uid", "value", "told"), FRONTS, ids=[f[0] for f in FRONTS]
)
def test_fronts(case: str, made: Answers, uid: str, value: str, told: str) -> None:
    holds(made.exposure()[uid], value, told)
