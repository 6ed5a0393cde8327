"""The operations of administration."""

from collections.abc import Mapping
from typing import Final

from headway.http import (
    admin_achievements,
    admin_imports,
    admin_learners,
    admin_upkeep,
    examples,
    examples_of_learners,
    examples_of_upkeep,
)
from headway.http.contract.operation import Operation

_TAG: Final = "Administration"

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_definitions": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_achievements.DefinitionList},
        refuses=(403,),
        given={"items": [examples.DEFINITION], "given": True, "next_cursor": None},
    ),
    "define_achievement": Operation(
        tag=_TAG,
        callers="admin",
        takes=admin_achievements.DefinitionSent,
        gives={200: admin_achievements.DefinitionShown, 201: admin_achievements.DefinitionShown},
        sent=examples.DEFINITION_SENT,
        given=examples.DEFINITION,
    ),
    "retire_achievement": Operation(tag=_TAG, callers="admin", gives={204: None}),
    "list_learners": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_learners.LearnerFound},
        refuses=(403,),
        given={"items": [examples_of_learners.LISTED], "next_cursor": None},
    ),
    "read_learner": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_learners.LearnerShown},
        refuses=(403,),
        given=examples_of_learners.SHOWN,
    ),
    "change_learner": Operation(
        tag=_TAG,
        callers="admin",
        takes=admin_learners.RolesSent,
        gives={200: admin_learners.LearnerShown},
        refuses=(409,),
        sent={"roles": ["creator"]},
        given={**examples_of_learners.SHOWN, "kind": "account", "roles": ["creator"]},
    ),
    "make_claim_code": Operation(
        tag=_TAG,
        callers="admin",
        gives={201: admin_learners.ClaimMade},
        refuses=(409,),
        given=examples_of_learners.CLAIM,
    ),
    "link_learner": Operation(
        tag=_TAG,
        callers="admin",
        takes=admin_learners.AccountSent,
        gives={200: admin_learners.Linked},
        refuses=(409,),
        sent={"account": "7c0e6c1a-5f8e-4f0b-9d53-2d1c0f7c6a10"},
        given={"merged": {"steps": 4, "events": 31, "certificates": 0}},
    ),
    "start_import": Operation(
        tag=_TAG,
        callers="admin",
        takes=admin_imports.ImportSent,
        gives={202: admin_imports.ImportShown},
        refuses=(409,),
        sent=examples_of_learners.IMPORT_SENT,
        given=examples_of_learners.IMPORT,
    ),
    "list_imports": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_imports.ImportList},
        refuses=(403,),
        given={"items": [examples_of_learners.IMPORT], "next_cursor": None},
    ),
    "read_import": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_imports.ImportShown},
        refuses=(403,),
        given=examples_of_learners.IMPORT,
    ),
    "start_audit": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_upkeep.AuditTold, 202: admin_upkeep.AuditShown},
        given=examples_of_upkeep.AUDITED,
        given_apart={202: examples_of_upkeep.AUDIT},
    ),
    "read_audit": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_upkeep.AuditShown},
        refuses=(403,),
        given=examples_of_upkeep.AUDIT,
    ),
    "backfill_figures": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_upkeep.BackfillTold},
        given=examples_of_upkeep.BACKFILL,
    ),
    "read_system": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: admin_upkeep.SystemShown},
        refuses=(403,),
        given=examples_of_upkeep.SYSTEM,
    ),
}
