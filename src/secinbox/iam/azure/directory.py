"""What roles of Entra ID and permissions of Microsoft Graph let their holder take over.

Sources: learn.microsoft.com, "Microsoft Entra built-in roles", "Microsoft Graph permissions
reference", "Who can reset passwords"; BloodHound's edges for Azure (bloodhound.specterops.io).
"""

from __future__ import annotations

GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
# Roles and permissions that are, or make oneself, Global Administrator: id -> (name, sentence).
_ROLE = "can make itself Global Administrator ({})"
_GRANT = "can grant itself any directory role ({})"
RULERS: dict[str, tuple[str, str]] = {
    GLOBAL: ("Global Administrator", "{}"),
    "e8611ab8-c189-46e8-94e1-60213ab1f814": ("Privileged Role Administrator", _ROLE),
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": ("Privileged Authentication Administrator", _ROLE),
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8": ("Partner Tier2 Support", _ROLE),
    "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": ("RoleManagement.ReadWrite.Directory", _GRANT),
    "06b708a9-e830-4db3-a914-8e69da51d44f": ("AppRoleAssignment.ReadWrite.All", _GRANT),
    "dd199f4a-f148-40a4-a2ec-f0069cc799ec": ("RoleAssignmentSchedule.ReadWrite.Directory", _GRANT),
    "fee28b28-e1f3-4841-818e-2704dc62245f": ("RoleEligibilitySchedule.ReadWrite.Directory", _GRANT),
    "50483e42-d915-4231-9639-7fdb7fd190e5": ("UserAuthenticationMethod.ReadWrite.All", _ROLE),
}  # fmt: skip
# Resets everybody's sign-in, administrators included; over a unit, everybody's there.
HIGHEST = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
# New secrets on every application and service principal.
APPLICATIONS: dict[str, str] = {
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
}
# Members of every group that no role may be assigned to.
GROUPS: dict[str, str] = {
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "9360feb5-f418-4baa-8175-e2a00bac4301": "Directory Writers",
    "3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
    "62a82d76-70ea-41e2-9197-370581804d09": "Group.ReadWrite.All",
    "dbaae8cf-10b5-4b86-a4a1-f871c94c6695": "GroupMember.ReadWrite.All",
    "19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
}
# Passwords and sign-in methods of people without a directory role.
PASSWORDS: dict[str, str] = {
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "4ba39ca4-527c-499a-b93d-d9b492c50246": "Partner Tier1 Support",
    "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7": "User-PasswordProfile.ReadWrite.All",
}
# Custom directory roles: action -> the table that it is as good as.
ACTIONS: tuple[tuple[str, str], ...] = (
    ("microsoft.directory/applications/credentials/update", "158c047a-c907-4556-b7ef-446551a6b5f7"),
    ("microsoft.directory/serviceprincipals/credentials/update",
     "158c047a-c907-4556-b7ef-446551a6b5f7"),
    ("microsoft.directory/groups/members/update", "fdd7a751-b60b-444a-984c-02652fe8fa1c"),
    ("microsoft.directory/groups.security/members/update", "fdd7a751-b60b-444a-984c-02652fe8fa1c"),
    ("microsoft.directory/users/password/update", "966707d0-3269-4727-9be2-8c3a10f19b9d"),
)  # fmt: skip
# Built-in directory roles that give none of this.
HARMLESS = frozenset(["db506228-d27e-4b7d-95e5-295956d6615f", "adb2368d-a9be-41b5-8667-d96778e081b0", "6b942400-691f-4bf0-9d12-d8a254a2baf5", "d2562ede-74db-457e-a7b6-544e236ebb61", "cf1c38e5-3621-4004-a7cb-879624dced7c", "9c6df0f2-1e7c-4dc3-b195-66dfbd24aa8f", "c430b396-e693-46cc-96f3-db01bf8bb62a", "58a13ea3-c632-46ae-9ee0-9c0d43cd7f3d", "ffd52fa5-98dc-465c-991d-fc073eb59f8f", "8424c6f0-a189-499e-bbd0-26c1753c96d4", "1d336d2c-4ae8-42ef-9711-b3604ce3fc2c", "5b784334-f94b-471a-a387-e7219fc49ca2", "9c99539d-8186-4804-835f-fd51ef9e2dcd", "0526716b-113d-4c15-b2c8-68e3c22b9f80", "e3973bdf-4987-49ae-837a-ba8e231c7286", "7495fdc4-34c4-4d15-a289-98788ce399fd", "3edaf663-341e-4475-9f94-5c398ef6c070", "b0f54661-2d74-4c50-afa3-1ec803f12efe", "892c5842-a9a6-463a-8041-72aa08ca3cf6", "7698a772-787b-4ac8-901f-60d6b08affd2", "17315797-102d-40b4-93e0-432062caca18", "e6d1a23a-da11-4be4-9570-befc86d067a7", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "5c4f9dcd-47dc-4cf7-8c9a-9e4207cbfc91", "38a96431-2bdf-4b4c-8b6e-5d3d8abac1a4", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "e93e3737-fa85-474a-aee4-7d3fb86510f3", "44367163-eba1-44c3-98af-f5787879f96a", "963797fb-eb3b-4cde-8ce3-5878b3f32a3f", "3f1acade-1e04-4fbc-9b69-f0302cd84aef", "29232cdf-9323-42fd-ade2-1d097af3e4de", "49eb8f75-97e9-4e37-9b2b-6c3ebfcffa31", "31392ffb-586c-42d1-9346-e59415a2cc4e", "dd13091a-6207-4fc0-82ba-3641e056ab95", "6e591065-9bad-43ed-90f3-e9424366d2f0", "0f971eea-41eb-4569-a71e-57bb8a3eff1e", "a9ea8996-122f-4c74-9520-8edcd192826c", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", "ac434307-12b9-4fa1-a708-88bf58caabc1", "843318fb-79a6-4168-9e6f-aa9a07481cc4", "95e79109-95c0-4d8e-aee3-d01accf2d47b", "eb1f4a8d-243a-41f0-9fbd-c7cdf6c5ef7c", "25df335f-86eb-4119-b717-0ff02de207e9", "31e939ad-9672-4796-9c2e-873181342d2d", "2ea5ce4c-b2d8-4668-bd81-3680bd2d227a", "74ef975b-6605-40af-a5d2-b9539d836353", "b5a8dcf3-09d5-43a9-a639-8e29ef291470", "5d6b6bb7-de71-4623-b4af-96380a352509", "194ae4cb-b126-40b2-bd5b-6091b380977d", "4a5d8f65-41da-4de4-8968-e035b65339cf", "4d6ac14f-3453-41d0-bef9-a3e0c569773a", "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b", "d37c8bed-0711-4417-ba38-b4abe66ce4c2", "2b745bdf-0803-4d80-aa65-822c4493daac", "11648597-926c-4cf3-9c36-bcebb0ba8dcc", "644ef478-e28f-4e28-b9dc-3fdde9aa0b1f", "0964bb5e-9bdb-4d7b-ac29-58e794862a40", "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "f023fd81-a637-4b56-95fd-791ac0226033", "f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "75941009-915a-4869-abe7-691bff18279e", "69091246-20e8-4a56-aa4d-066075b2a7a8", "75934031-6c7e-415a-99d7-48dbd49e875e", "11451d60-acb2-45eb-a7d6-43d0f0125c13"])  # fmt: skip
KNOWN = frozenset({*RULERS, *APPLICATIONS, *GROUPS, *PASSWORDS, *HARMLESS})
