"""The how-to on webhooks: its example verifies what Headway signs, and nothing else."""

import re
import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

from headway.domain.webhooks import signature, write_secret
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "howto" / "webhooks.md").read_text(encoding="utf-8")
SECRET = write_secret(bytes(range(32)))
BODY = b'{"type":"x"}'


def example() -> Callable[[str, dict[str, str], bytes], bool]:
    """The function that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    there: dict[str, Any] = {}
    exec(code, there)
    found: Callable[[str, dict[str, str], bytes], bool] = there["verified"]
    return found


def bare(secret: str) -> bytes:
    """What a receiver signs with: the secret as it is kept, read."""
    return b64decode(secret.removeprefix("whsec_"))


def headers(at: float, secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    signed = signature(bare(secret), "msg_1", int(at), body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at)), "webhook-signature": signed}


def test_the_example_takes_what_is_signed_and_nothing_else() -> None:
    verified, now = example(), time.time()
    good = headers(now)
    assert verified(SECRET, good, BODY)
    assert verified(SECRET, good | {"webhook-signature": "v1,other " + good["webhook-signature"]}, BODY)
    assert not verified(SECRET, good, BODY + b" ")
    assert not verified(SECRET, good | {"webhook-id": "msg_2"}, BODY)
    assert not verified(SECRET, headers(now, write_secret(bytes(32))), BODY)
    assert not verified(SECRET, headers(now - 3_600), BODY)
    assert not verified(SECRET, good | {"webhook-signature": ""}, BODY)


def test_a_signature_is_as_the_specification_has_it() -> None:
    """The example of the specification's own libraries."""
    secret = bare("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
