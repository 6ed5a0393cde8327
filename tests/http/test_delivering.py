"""How messages are shared out and locked, of several endpoints and by several who act at once."""

import pytest

from headway.domain.times import SECOND
from tests.http.receiving import Receiver
from tests.http.sending import Still, complete

pytestmark = pytest.mark.usefixtures("quick")


def test_nothing_is_promised_of_an_endpoint_that_is_sent_nothing(still: Still, receiver: Receiver) -> None:
    hook = still.hook(receiver.url, types=["step_completed"])
    complete(still.site.guest(), "for-1")
    still.pump()
    receiver.answer = lambda _: 410
    complete(still.site.guest(), "for-1")
    still.pump()
    receiver.answer = lambda _: 204
    admin = still.site.client()
    assert admin.post("/auth/login", json={"email": "root@example.org", "password": "correct horse battery"}).is_success
    *_, first = admin.get(f"/webhooks/{hook}/deliveries").json()["items"]
    again = f"/webhooks/{hook}/deliveries/{first['id']}/redelivery"
    refused = admin.post(again)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/webhook-disabled")
    assert admin.post(f"/webhooks/{hook}/resumption").status_code == 204
    assert admin.post(again).status_code == 202
    assert (still.pump(10 * SECOND), receiver.taken[-1].id) == (1, first["message_id"])
