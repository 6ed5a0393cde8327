"""The operations of administration."""

from collections.abc import Mapping
from typing import Final

from headway.http import admin_achievements, admin_upkeep, examples, examples_of_upkeep
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
    "start_audit": Operation(
        tag=_TAG,
        callers="admin",
        gives={202: admin_upkeep.AuditShown},
        given=examples_of_upkeep.AUDIT,
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
