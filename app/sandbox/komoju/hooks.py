"""Webhooks as KOMOJU's dashboard would set them up: where to, with which secret, for what."""

from typing import Annotated, Any, Final

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct
from msgspec.structs import replace

from app.sandbox.control import AnyRequest, ControlProblem, Json, answer, read
from app.sandbox.komoju.credentials import is_secret
from app.sandbox.komoju.notify import EVENTS, hooks_of, ping
from app.sandbox.komoju.objects import Hook
from app.sandbox.komoju.plane import Plane
from app.sandbox.komoju.problems import ApiProblem
from app.sandbox.komoju.validation import url
from app.sandbox.komoju.world import masked


class HookBody(Struct, forbid_unknown_fields=True):
    key: str
    url: str
    secret: Annotated[str, Meta(min_length=1, max_length=500)]
    events: list[str] = []


@post("/hooks", status_code=200)
async def add_hook(request: AnyRequest, komoju: NamedDependency[Plane]) -> Response[bytes]:
    """A `ping` arrives at once. The same address again changes its secret and events."""
    body = await read(request, HookBody)
    if not is_secret(body.key):
        raise ControlProblem(422, "The key must be a secret key, such as sk_test_shop.")
    try:
        url({"url": body.url}, "url")
    except ApiProblem as problem:
        raise ControlProblem(422, problem.message) from None
    if unknown := sorted(set(body.events) - EVENTS):
        raise ControlProblem(422, f"There is no event {unknown[0]}. Known: {sorted(EVENTS)}")
    at, universe = komoju.begin(), komoju.universe
    same = next((h for h in hooks_of(universe, body.key) if h.url == body.url), None)
    hook = Hook(
        id=universe.new_id() if same is None else same.id,
        key=body.key,
        created_at=at if same is None else same.created_at,
        url=body.url,
        secret=body.secret,
        events=tuple(body.events),
    )
    universe.put(hook)
    ping(universe, hook, at)
    await komoju.finish()
    return answer(_hook_json(hook))


@get("/hooks")
async def list_hooks(komoju: NamedDependency[Plane]) -> Response[bytes]:
    found = [hook for hook in komoju.universe.newest(Hook) if hook.deleted_at is None]
    return answer({"items": [_hook_json(hook) for hook in found]})


@delete("/hooks/{hook_id:str}", status_code=200)
async def remove_hook(hook_id: FromPath[str], komoju: NamedDependency[Plane]) -> Response[bytes]:
    at = komoju.begin()
    hook = komoju.find(Hook, hook_id)
    komoju.universe.put(replace(hook, deleted_at=hook.deleted_at or at))
    await komoju.finish()
    return answer({"deleted": True})


def _hook_json(hook: Hook) -> Json:
    """Without its secret."""
    shown = {"id": hook.id, "key": masked(hook.key), "url": hook.url}
    return {**shown, "events": list(hook.events)}


ROUTES: Final[tuple[Any, ...]] = (add_hook, list_hooks, remove_hook)
