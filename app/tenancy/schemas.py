"""Tenants and members as clients see them: what may be sent, and the row that comes back."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.http.bodies import Body
from app.http.envelope import Timestamp, stamp
from app.http.fields import Metadata, check_line, check_metadata
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.tenancy.tenant import Membership, Role, Tenant
from domain.tenancy.tenant_service import NewTenant, TenantChange

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="The organisation's name, as invoices show it",
        examples=["Example Bakery Ltd"],
    ),
]
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=320,
        description="Where billing matters go",
        examples=["billing@example.com"],
    ),
]


class CreateTenantBody(Body, frozen=True, kw_only=True):
    """`uuid` is yours to choose when your own system already has one for the organisation."""

    uuid: (
        Annotated[
            UUID,
            Meta(
                description="Your own id for the tenant; one is made when you give none",
                examples=["0198c5a0-5d1e-7a3b-9c52-0f6f3f0e4a11"],
            ),
        ]
        | None
    ) = None
    name: Name
    email: Email | None = None
    metadata: Metadata = field(default_factory=dict)
    test_clock_uuid: Annotated[
        UUID | None,
        Meta(
            description="The test clock that its subscriptions live by, from the beginning and for "
            "good; null: real time. It can pay at test accounts only"
        ),
    ] = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _check(given)

    def new(self) -> NewTenant:
        return NewTenant(
            uuid=None if self.uuid is None else TenantUuid(self.uuid),
            name=self.name,
            email=self.email,
            metadata=self.metadata,
            test_clock_uuid=self.test_clock_uuid,
        )


class UpdateTenantBody(Body, frozen=True, kw_only=True):
    """Send what is to change."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType | None = UNSET
    metadata: Metadata | UnsetType = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _check(given)

    def change(self) -> TenantChange:
        return TenantChange(name=self.name, email=self.email, metadata=self.metadata)


class PutMemberBody(Body, frozen=True, kw_only=True):
    role: Annotated[
        Role,
        Meta(
            description="`admin` also manages the tenant's members",
            examples=["member"],
        ),
    ]


class TenantView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    app_uuid: UUID
    name: str
    email: str | None
    metadata: dict[str, Any]
    test_clock_uuid: UUID | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantView":
        return cls(
            uuid=tenant.uuid,
            app_uuid=tenant.app_uuid,
            name=tenant.name,
            email=tenant.email,
            metadata=dict(tenant.metadata),
            test_clock_uuid=tenant.test_clock_uuid,
            created_at=stamp(tenant.created_at),
            updated_at=stamp(tenant.updated_at),
        )


class MemberView(Struct, frozen=True, kw_only=True, rename="camel"):
    app_uuid: UUID
    tenant_uuid: UUID
    user_uuid: UUID
    role: Role
    created_at: Timestamp

    @classmethod
    def of(cls, membership: Membership) -> "MemberView":
        return cls(
            app_uuid=membership.app_uuid,
            tenant_uuid=membership.tenant_uuid,
            user_uuid=membership.user_uuid,
            role=membership.role,
            created_at=stamp(membership.created_at),
        )


def _check(given: Mapping[str, Any]) -> Iterator[Violation]:
    name, email, metadata = (given.get(key) for key in ("name", "email", "metadata"))
    yield from check_line(name, "name")
    if isinstance(email, str) and not re.fullmatch(r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+", email):
        yield Violation("must be an e-mail address", "email")
    yield from check_metadata(metadata)
