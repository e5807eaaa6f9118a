"""The feed of events, and what is sent to the apps' webhook endpoints."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import isolated, migration

ID = "2026-11-21T01:12:00"
VERSION = "1.38.0"
DESCRIPTION = "event feed, webhook endpoints, deliveries and their log"

# `id` is the order of insertion: events of one aggregate are written under its lock, so it is
# their order too. It has gaps and may become visible late, so readers page by `position`, which
# one publisher at a time gives. What was told before this migration has no place in the feed.
#
# Of the deliveries of one aggregate to one endpoint only the first that is pending has a `due_at`:
# the others stand in line. The unique index keeps it so, whatever the program does.
UP = f"""
alter table outbox rename column delivered_at to published_at;
alter table outbox
    add column id bigint generated always as identity,
    add column position bigint check (position > 0),
    add column sequence bigint check (sequence > 0),
    add constraint outbox_position_key unique (app_uuid, position),
    add constraint outbox_sequence_key unique (app_uuid, aggregate_uuid, sequence),
    add constraint outbox_published_check check ((position is null) = (sequence is null));
create index outbox_unpublished_idx on outbox (app_uuid, id) where due_at is not null;
create index outbox_happened_idx on outbox (app_uuid, happened_at) where position is not null;

create table event_counters (
    app_uuid  uuid    not null,
    position  bigint  not null check (position >= 0),
    constraint event_counters_pkey primary key (app_uuid),
    constraint event_counters_app_fkey foreign key (app_uuid) references apps (app_uuid)
);
{isolated("event_counters")}

create table webhook_endpoints (
    app_uuid                    uuid        not null,
    uuid                        uuid        not null,
    url                         text        not null check (char_length(url) between 1 and 2048),
    event_types                 text[]      not null,
    description                 text,
    secret_sealed               bytea       not null,
    previous_secret_sealed      bytea,
    previous_secret_expires_at  timestamptz,
    status                      text        not null check (status in ('enabled', 'disabled')),
    disabled_reason             text
        check (disabled_reason in ('by_hand', 'failing', 'gone', 'deleted')),
    failing_since               timestamptz,
    created_at                  timestamptz not null,
    updated_at                  timestamptz not null,
    deleted_at                  timestamptz,
    constraint webhook_endpoints_pkey primary key (app_uuid, uuid),
    constraint webhook_endpoints_app_fkey foreign key (app_uuid) references apps (app_uuid),
    constraint webhook_endpoints_previous_check
        check ((previous_secret_sealed is null) = (previous_secret_expires_at is null)),
    constraint webhook_endpoints_disabled_check
        check ((status = 'disabled') = (disabled_reason is not null))
);
{isolated("webhook_endpoints")}

create table webhook_deliveries (
    app_uuid               uuid        not null,
    uuid                   uuid        not null,
    id                     bigint      generated always as identity,
    webhook_endpoint_uuid  uuid        not null,
    event_uuid             uuid        not null,
    aggregate_uuid         uuid        not null,
    is_replay              boolean     not null,
    status                 text        not null
        check (status in ('pending', 'delivered', 'failed')),
    tries                  integer     not null check (tries >= 0),
    due_at                 timestamptz,
    created_at             timestamptz not null,
    settled_at             timestamptz,
    constraint webhook_deliveries_pkey primary key (app_uuid, uuid),
    constraint webhook_deliveries_endpoint_fkey foreign key (app_uuid, webhook_endpoint_uuid)
        references webhook_endpoints (app_uuid, uuid),
    constraint webhook_deliveries_event_fkey
        foreign key (app_uuid, event_uuid) references outbox (app_uuid, uuid),
    constraint webhook_deliveries_settled_check
        check ((status = 'pending') = (settled_at is null)),
    constraint webhook_deliveries_due_check check (due_at is null or status = 'pending')
);
create unique index webhook_deliveries_first_key
    on webhook_deliveries (app_uuid, webhook_endpoint_uuid, aggregate_uuid)
    where due_at is not null;
create index webhook_deliveries_due_idx on webhook_deliveries (due_at, app_uuid)
    where due_at is not null;
create index webhook_deliveries_claim_idx
    on webhook_deliveries (app_uuid, webhook_endpoint_uuid, due_at) where due_at is not null;
create index webhook_deliveries_line_idx
    on webhook_deliveries (app_uuid, webhook_endpoint_uuid, aggregate_uuid, id)
    where status = 'pending';
create index webhook_deliveries_log_idx
    on webhook_deliveries (app_uuid, webhook_endpoint_uuid, id);
create index webhook_deliveries_settled_idx on webhook_deliveries (app_uuid, settled_at)
    where settled_at is not null;
{isolated("webhook_deliveries", verbs="select, insert, update, delete")}

create table webhook_tries (
    app_uuid       uuid        not null,
    delivery_uuid  uuid        not null,
    number         integer     not null check (number > 0),
    tried_at       timestamptz not null,
    duration_ms    integer     not null check (duration_ms >= 0),
    http_status    integer,
    error          text,
    excerpt        text        not null,
    constraint webhook_tries_pkey primary key (app_uuid, delivery_uuid, number),
    constraint webhook_tries_delivery_fkey foreign key (app_uuid, delivery_uuid)
        references webhook_deliveries (app_uuid, uuid) on delete cascade,
    constraint webhook_tries_outcome_check check ((http_status is null) <> (error is null))
);
{isolated("webhook_tries")}

create policy directory on webhook_deliveries for select to current_user using (true);

create function apps_with_due_webhooks(at timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct app_uuid from webhook_deliveries where due_at <= at;
end;
revoke all on function apps_with_due_webhooks from public;
grant execute on function apps_with_due_webhooks to kontor_app;
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
