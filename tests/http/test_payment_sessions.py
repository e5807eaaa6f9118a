"""Payment sessions through the front door: asked for, answered, paid and given back."""

from tests.http.crossing import Crossing, crossing
from tests.http.house import code

__all__ = ["crossing"]


async def test_an_order_is_answered_with_where_to_pay_it(crossing: Crossing):
    answer = await crossing.post("a-key")
    assert answer.status_code == 200, answer.text
    row = answer.json()
    assert row.keys() == {
        "sessionId", "checkoutUrl", "status", "routing", "expiresAt", "createdAt"
    }  # fmt: skip
    assert row["status"] == "PENDING" and row["checkoutUrl"].startswith("http")
    assert row["routing"].keys() == {"selectedProvider", "score", "strategy", "decisionId"}
    assert await crossing.post("nothing", orderReference=...) is not None
    assert code(await crossing.post(None)) == "400 [E4000]"
