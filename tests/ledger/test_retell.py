"""What learners should have been told is worked out of any ledger."""

import json

import pytest

from headway.domain.recording import IMPORTED
from headway.ledger.submission import Submission
from tests.ledger.gates import GATES, through
from tests.ledger.test_audit import change_entry
from tests.ledger.test_falsified_notices import found, mended, told
from tests.ledger.world import NOON, World, event


@pytest.mark.parametrize("cause", ["5", "null", '["x"]', "NaN", '"\\ud800"'])
def test_an_entry_of_any_cause_ends_neither_audit_nor_rebuild(world: World, cause: str) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.submit(Submission(ada, (event(90),), NOON, source=IMPORTED))
    world.send(ada, *through("basics"))
    before = told(world, ada)
    for one in world.entries(ada):
        if one.type == "module_completed":
            was = json.dumps(json.loads(one.body)["cause"])
            change_entry(world, ada, one.seq, body=one.body.replace(f'"cause":{was}', f'"cause":{cause}'))
            assert world.entries(ada)[one.seq - 1] != one
    assert found(world) == []
    assert mended(world) == 0
    assert told(world, ada) == before
