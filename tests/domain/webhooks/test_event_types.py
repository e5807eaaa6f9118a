"""The catalogue lists every event that the domain can tell, as read from its source.

A type is the constant that stands in `Event(type=...)`, or what reaches it through a function's
parameter: calls are followed to it. Where it is computed otherwise, SPOKEN says the words.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.checkout.session import SessionStatus
from domain.payments.answers import CaptureStatus, MandateStatus, PaymentStatus, RefundStatus
from domain.webhooks.event_types import EVENT_TYPES
from tests.architecture.tree import parsed, python_files

SETTLED_CAPTURES: Final = (CaptureStatus.SUCCEEDED, CaptureStatus.FAILED)
SETTLED: Final = (RefundStatus.REFUNDED, RefundStatus.FAILED, RefundStatus.CANCELED)
COMPLETE, OPEN = SessionStatus.COMPLETE, SessionStatus.OPEN

SPOKEN: Final = {
    "after.status": [f"payment.{status}" for status in PaymentStatus],
    "capture.status": [f"capture.{status}" for status in sorted(SETTLED_CAPTURES)],
    "refund.status": [f"refund.{status}" for status in SETTLED],
    "mandate.status": [f"mandate.{status}" for status in MandateStatus],
    "str(to)": [
        f"checkout_session.{status}" for status in SessionStatus if status not in (COMPLETE, OPEN)
    ],
}
"""Expressions in the source that stand for words of a table, and the types that they make."""


@dataclass(frozen=True)
class Maker:
    """A function that makes an event out of a parameter, between two pieces of text."""

    parameter: str
    place: int
    before: str = ""
    after: str = ""


Function = ast.FunctionDef | ast.AsyncFunctionDef


class Reader:
    def __init__(self, paths: list[Path]) -> None:
        self.types: set[str] = set()
        self.riddles: set[str] = set()
        """Expressions that nobody has explained."""
        self._functions = [
            (path, function)
            for path in paths
            for function in ast.walk(parsed(path))
            if isinstance(function, Function)
        ]
        self._makers: defaultdict[str, set[Maker]] = defaultdict(set)
        while self._look():
            pass

    def _look(self) -> bool:
        """Whether a function was found to be a maker: its callers are then looked at anew."""
        known = sum(map(len, self._makers.values()))
        self.types, self.riddles = set(), set()
        for path, function in self._functions:
            for said, before, after in self._said(path, function):
                self._read(path, function, said, (before, after))
        # One that takes a whole type or its second half makes some words that are no types.
        self.types = {type for type in self.types if type.count(".") == 1}
        return sum(map(len, self._makers.values())) > known

    def _said(self, path: Path, function: Function) -> Iterator[tuple[ast.expr, str, str]]:
        """The expressions of event types in a function, and the text around them."""
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name == "Event":
                yield from ((k.value, "", "") for k in call.keywords if k.arg == "type")
            for maker in {*self._makers[f"{path}:{name}"], *self._makers[f"public:{name}"]}:
                given = [k.value for k in call.keywords if k.arg == maker.parameter]
                yield (given or call.args[maker.place :])[0], maker.before, maker.after

    def _read(
        self, path: Path, function: Function, said: ast.expr, around: tuple[str, str]
    ) -> None:
        before, after = around
        arguments = [argument.arg for argument in function.args.args]
        match said:
            case ast.Constant(value=str(text)):
                self.types.add(before + text + after)
            case ast.IfExp(body=yes, orelse=no):
                self._read(path, function, yes, around)
                self._read(path, function, no, around)
            case ast.JoinedStr(
                values=[ast.Constant(value=str(text)), ast.FormattedValue() as hole]
            ):
                self._read(path, function, hole.value, (before + text, after))
            case ast.Name(id=name) if name in arguments:
                place = arguments.index(name) - (arguments[0] == "self")
                owner = path if function.name.startswith("_") else "public"
                self._makers[f"{owner}:{function.name}"].add(Maker(name, place, before, after))
            case ast.Name(id=name) if assigned := list(_assigned(function, name)):
                for value in assigned:
                    self._read(path, function, value, around)
            case _ if (spoken := ast.unparse(said)) in SPOKEN:
                self.types |= set(SPOKEN[spoken])
            case _:
                self.riddles.add(f"{path}:{said.lineno}: {before}{ast.unparse(said)}")


def _assigned(function: Function, name: str) -> Iterator[ast.expr]:
    """What a local name is given, one by one or out of a list that is filled here."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = zip(names, values, strict=True)
                yield from (v for n, v in pairs if isinstance(n, ast.Name) and n.id == name)
            case ast.comprehension(target=ast.Name(id=found), iter=ast.Name(id=source)):
                if found == name:
                    yield from _put_into(function, source)


def _put_into(function: Function, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=found), attr="append"), args=[value]
            ) if found == name:
                yield value


READER: Final = Reader(python_files("domain"))


def test_every_event_of_the_domain_is_in_the_catalogue():
    assert sorted(READER.types - EVENT_TYPES.keys()) == []


def test_the_catalogue_promises_no_event_that_nothing_tells():
    assert sorted(EVENT_TYPES.keys() - READER.types) == []


def test_every_event_type_can_be_read_from_the_source():
    assert sorted(READER.riddles) == [], "say in SPOKEN which types the expression makes"


def test_the_source_was_understood():
    known = {
        "product.archived", "tenant.created", "member.removed", "payment.paid",
        "payment.surplus_received", "checkout_session.completed", "checkout_session.expired",
        "payment_provider.credential_rotated", "webhook_endpoint.disabled",
        "webhook_endpoint.test", "subscription.started",
    }  # fmt: skip
    assert known - READER.types == set()


def test_a_type_is_a_noun_and_what_happened_and_tells_what_it_means():
    for name, told in EVENT_TYPES.items():
        assert name == told.type
        noun, _, verb = name.partition(".")
        assert noun.replace("_", "").isalpha() and verb.replace("_", "").isalpha(), name
        assert told.description and told.version >= 1
    assert len(EVENT_TYPES) >= 30
