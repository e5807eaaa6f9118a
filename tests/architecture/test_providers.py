"""No provider's name decides anything outside of what was written for that provider.

What providers differ in is said by each of them, through a port: who adds another one adds a folder
and a line in infrastructure/providers.py.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from domain.payments.payment_provider import ProviderName
from infrastructure.providers import CREDENTIALS, clients
from tests.architecture.tree import ROOT, parsed, python_files
from tests.fakes.vault import FakeVault

# The demo's own account is one at Mollie.
NAMES_ITS_OWN: Final = {"app/cli/demo.py"}
NAMES: Final = frozenset(ProviderName)


def decisions(tree: ast.AST) -> Iterator[int]:
    """Lines that name a provider where the name could decide something."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="ProviderName"), attr=attr) if attr.isupper():
                yield node.lineno
            case ast.Compare(left=left, comparators=others):
                yield from (one.lineno for one in (left, *others) if _names(one))
            case ast.MatchValue(value=value) if _names(value):
                yield value.lineno
            case ast.Dict(keys=keys):
                yield from (key.lineno for key in keys if key is not None and _names(key))
            case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=[said]):
                if _names(said):
                    yield said.lineno


def _names(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return any(_names(one) for one in node.elts)
    return isinstance(node, ast.Constant) and node.value in NAMES


def test_no_providers_name_decides_anything_in_the_rules_or_at_the_edge():
    found = [
        f"{path}:{line}"
        for path in python_files("domain", "app")
        if not str(path).startswith("app/sandbox/") and str(path) not in NAMES_ITS_OWN
        for line in decisions(parsed(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "account.name is ProviderName.KOMOJU",
        "account.name == 'mollie'",
        "name in ('mollie', 'komoju')",
        "{'mollie': 1}[name]",
        "{ProviderName.MOLLIE: 1}[name]",
        "url.startswith('komoju')",
        "match name:\n    case 'komoju':\n        pass",
    ],
)
def test_such_a_decision_is_seen(line: str):
    assert list(decisions(ast.parse(line)))


def test_every_provider_has_its_ports_and_its_folder():
    providers = clients(FakeVault(), ("http://m", "http://k"), 1).providers(FakeVault())
    assert set(providers) == set(CREDENTIALS) == set(ProviderName)
    folders = {name: _files(ROOT / "infrastructure" / name) for name in ProviderName}
    ports = {"client", "wire", "payments", "customers", "refunds", "chargebacks", "mandates"}
    for name, files in folders.items():
        assert ports | {"access", "credentials", "listing", "provider"} <= files, name


def _files(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")}


def test_what_is_stored_can_be_paid_with():
    providers = clients(FakeVault(), ("http://m", "http://k"), 1).providers(FakeVault())
    for name, provider in providers.items():
        assert provider.storable_methods <= provider.payment_methods, name
        assert (provider.notices is not None) is CREDENTIALS[name].signs_webhooks, name
