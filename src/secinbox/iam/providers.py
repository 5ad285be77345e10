"""Whether the identity provider that a trust policy names exists in the account.

A trust alone lets nobody in: STS looks for the provider. Google, Facebook, Amazon and Cognito need none.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from __future__ import annotations

from secinbox.estate import Estate
from secinbox.inventory.aws.answers import covered

_LISTS = {
    ":oidc-provider/": "iam.list_open_id_connect_providers",
    ":saml-provider/": "iam.list_saml_providers",
}


def missing(estate: Estate, provider: str) -> str:
    """Why nobody comes by this provider (an ARN): it is in no whole list; else empty."""
    for mark, call in _LISTS.items():
        if mark in provider and provider.count(":") >= 5:
            account = provider.split(":")[4]
            if covered(estate, account, "global", call) and estate.find(provider) is None:
                return f"the account has no provider {provider.partition(mark)[2]}"
    return ""
