-- What the migrations add up to: generated, never run, never edited.
-- After a new migration: .venv/bin/python -m tests.migrations.schema --write
-- `schema_owner` stands for whoever ran the migrations.

CREATE TABLE payment_providers (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    title text NOT NULL,
    is_default boolean NOT NULL,
    credential_sealed bytea,
    credential_hint text NOT NULL,
    verification_amount_minor bigint,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    swept_until timestamp with time zone DEFAULT now() NOT NULL,
    sweep_due_at timestamp with time zone DEFAULT now() NOT NULL,
    webhook_secret_sealed bytea,
    connected_by text DEFAULT 'api_key'::text NOT NULL,
    is_connected boolean DEFAULT true NOT NULL,
    account_ref text,
    profile_ref text,
    provider_metadata jsonb,
    disconnected_because text,
    application_fee jsonb,
    credential_since timestamp with time zone,
    CONSTRAINT payment_providers_account_ref_check CHECK (((char_length(account_ref) >= 1) AND (char_length(account_ref) <= 120))),
    CONSTRAINT payment_providers_connected_by_check CHECK ((connected_by = ANY (ARRAY['api_key'::text, 'oauth'::text]))),
    CONSTRAINT payment_providers_credential_check CHECK (((connected_by = 'api_key'::text) = (credential_sealed IS NOT NULL))),
    CONSTRAINT payment_providers_disconnected_because_check CHECK ((disconnected_because = ANY (ARRAY['app'::text, 'merchant'::text]))),
    CONSTRAINT payment_providers_fee_check CHECK (((application_fee IS NULL) OR (connected_by = 'oauth'::text))),
    CONSTRAINT payment_providers_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT payment_providers_name_check CHECK ((name = ANY (ARRAY['mollie'::text, 'komoju'::text]))),
    CONSTRAINT payment_providers_profile_ref_check CHECK (((char_length(profile_ref) >= 1) AND (char_length(profile_ref) <= 120))),
    CONSTRAINT payment_providers_title_check CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200))),
    CONSTRAINT payment_providers_verification_amount_minor_check CHECK ((verification_amount_minor > 0))
);

ALTER TABLE ONLY payment_providers FORCE ROW LEVEL SECURITY;

CREATE FUNCTION app_of_payment_provider(provider uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    RETURN (SELECT p.app_uuid FROM payment_providers p WHERE (p.uuid = app_of_payment_provider.provider) LIMIT 1);

CREATE FUNCTION apps_with_accounts() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    BEGIN ATOMIC
 SELECT DISTINCT payment_providers.app_uuid
    FROM payment_providers
   ORDER BY payment_providers.app_uuid;
END;

CREATE FUNCTION apps_with_due_sweeps(at timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    BEGIN ATOMIC
 SELECT DISTINCT payment_providers.app_uuid
    FROM payment_providers
   WHERE ((payment_providers.deleted_at IS NULL) AND payment_providers.is_connected AND (payment_providers.sweep_due_at <= apps_with_due_sweeps.at));
END;

CREATE TABLE webhook_deliveries (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    id bigint NOT NULL,
    webhook_endpoint_uuid uuid NOT NULL,
    event_uuid uuid NOT NULL,
    aggregate_uuid uuid NOT NULL,
    is_replay boolean NOT NULL,
    status text NOT NULL,
    tries integer NOT NULL,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT webhook_deliveries_due_check CHECK (((due_at IS NULL) OR (status = 'pending'::text))),
    CONSTRAINT webhook_deliveries_settled_check CHECK (((status = 'pending'::text) = (settled_at IS NULL))),
    CONSTRAINT webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text]))),
    CONSTRAINT webhook_deliveries_tries_check CHECK ((tries >= 0))
);

ALTER TABLE ONLY webhook_deliveries FORCE ROW LEVEL SECURITY;

CREATE FUNCTION apps_with_due_webhooks(at timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    BEGIN ATOMIC
 SELECT DISTINCT webhook_deliveries.app_uuid
    FROM webhook_deliveries
   WHERE (webhook_deliveries.due_at <= apps_with_due_webhooks.at);
END;

CREATE TABLE captures (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    payment_uuid uuid NOT NULL,
    status text NOT NULL,
    provider_ref text,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    description text,
    decline_reason text,
    first_submitted_at timestamp with time zone NOT NULL,
    tries integer NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT captures_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT captures_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT captures_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'pending'::text, 'succeeded'::text, 'failed'::text, 'declined'::text])))
);

ALTER TABLE ONLY captures FORCE ROW LEVEL SECURITY;

CREATE TABLE checkout_sessions (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    id bigint NOT NULL,
    tenant_uuid uuid NOT NULL,
    user_uuid uuid,
    payment_provider_uuid uuid NOT NULL,
    mode text NOT NULL,
    status text NOT NULL,
    payment_status text NOT NULL,
    price_uuid uuid,
    tax_rate_uuid uuid,
    quantity integer NOT NULL,
    currency character(3) NOT NULL,
    subtotal_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    terms jsonb NOT NULL,
    link_token text NOT NULL,
    provider_ref text,
    next_action_url text,
    expires_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    trial_days integer DEFAULT 0 NOT NULL,
    subscription_uuid uuid,
    bill_uuids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    collected jsonb,
    CONSTRAINT checkout_sessions_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT checkout_sessions_mode_check CHECK ((mode = ANY (ARRAY['setup'::text, 'payment'::text, 'subscription'::text, 'recovery'::text, 'direct'::text]))),
    CONSTRAINT checkout_sessions_payment_status_check CHECK ((payment_status = ANY (ARRAY['unpaid'::text, 'paid'::text, 'refunded'::text, 'no_payment_required'::text]))),
    CONSTRAINT checkout_sessions_price_check CHECK (((mode = ANY (ARRAY['setup'::text, 'recovery'::text, 'direct'::text])) = (price_uuid IS NULL))),
    CONSTRAINT checkout_sessions_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10000))),
    CONSTRAINT checkout_sessions_status_check CHECK ((status = ANY (ARRAY['open'::text, 'processing'::text, 'complete'::text, 'expired'::text, 'failed'::text]))),
    CONSTRAINT checkout_sessions_subtotal_minor_check CHECK ((subtotal_minor >= 0)),
    CONSTRAINT checkout_sessions_tax_minor_check CHECK ((tax_minor >= 0)),
    CONSTRAINT checkout_sessions_total_check CHECK ((total_minor = (subtotal_minor + tax_minor))),
    CONSTRAINT checkout_sessions_trial_days_check CHECK ((trial_days >= 0))
);

ALTER TABLE ONLY checkout_sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE inbox (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    provider_ref text NOT NULL,
    outcome text,
    tries integer NOT NULL,
    due_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    event_id text,
    CONSTRAINT inbox_event_id_check CHECK (((char_length(event_id) >= 1) AND (char_length(event_id) <= 100))),
    CONSTRAINT inbox_outcome_check CHECK ((outcome = ANY (ARRAY['observed'::text, 'ignored'::text])))
);

ALTER TABLE ONLY inbox FORCE ROW LEVEL SECURITY;

CREATE TABLE outbox (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    type text NOT NULL,
    aggregate_uuid uuid NOT NULL,
    facts jsonb NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    published_at timestamp with time zone,
    id bigint NOT NULL,
    "position" bigint,
    sequence bigint,
    CONSTRAINT outbox_position_check CHECK (("position" > 0)),
    CONSTRAINT outbox_published_check CHECK ((("position" IS NULL) = (sequence IS NULL))),
    CONSTRAINT outbox_sequence_check CHECK ((sequence > 0))
);

ALTER TABLE ONLY outbox FORCE ROW LEVEL SECURITY;

CREATE TABLE payment_attempts (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    checkout_session_uuid uuid,
    number integer NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    status text NOT NULL,
    request bytea NOT NULL,
    decline_reason text,
    first_submitted_at timestamp with time zone NOT NULL,
    tries integer NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    bill_uuid uuid,
    kind text DEFAULT 'payment'::text NOT NULL,
    form_ref text,
    form_token text,
    CONSTRAINT payment_attempts_form_check CHECK ((((form_ref IS NULL) = (form_token IS NULL)) AND ((kind = 'form'::text) OR (form_ref IS NULL)))),
    CONSTRAINT payment_attempts_kind_check CHECK ((kind = ANY (ARRAY['payment'::text, 'form'::text]))),
    CONSTRAINT payment_attempts_number_check CHECK ((number >= 1)),
    CONSTRAINT payment_attempts_owner_check CHECK ((num_nonnulls(checkout_session_uuid, bill_uuid) = 1)),
    CONSTRAINT payment_attempts_status_check CHECK ((status = ANY (ARRAY['submitting'::text, 'accepted'::text, 'declined'::text, 'needs_review'::text])))
);

ALTER TABLE ONLY payment_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE payments (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    provider_ref text NOT NULL,
    tenant_uuid uuid NOT NULL,
    attempt_uuid uuid NOT NULL,
    checkout_session_uuid uuid,
    is_surplus boolean NOT NULL,
    sequence_type text NOT NULL,
    status text NOT NULL,
    method text,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    charged_back_minor bigint NOT NULL,
    failure_reason text,
    checkout_url text,
    customer_ref text,
    mandate_ref text,
    paid_at timestamp with time zone,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    bill_uuid uuid,
    is_verification boolean DEFAULT false NOT NULL,
    tax_minor bigint DEFAULT 0 NOT NULL,
    captured_minor bigint,
    CONSTRAINT payments_amount_minor_check CHECK ((amount_minor >= 0)),
    CONSTRAINT payments_charged_back_minor_check CHECK ((charged_back_minor >= 0)),
    CONSTRAINT payments_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor))),
    CONSTRAINT payments_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payments_owner_check CHECK ((num_nonnulls(checkout_session_uuid, bill_uuid) = 1)),
    CONSTRAINT payments_refunded_minor_check CHECK ((refunded_minor >= 0)),
    CONSTRAINT payments_sequence_type_check CHECK ((sequence_type = ANY (ARRAY['oneoff'::text, 'first'::text, 'recurring'::text]))),
    CONSTRAINT payments_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'authorized'::text, 'paid'::text, 'failed'::text, 'canceled'::text, 'expired'::text]))),
    CONSTRAINT payments_tax_minor_check CHECK ((tax_minor >= 0))
);

ALTER TABLE ONLY payments FORCE ROW LEVEL SECURITY;

CREATE TABLE refunds (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    payment_uuid uuid NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    provider_ref text,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    decline_reason text,
    first_submitted_at timestamp with time zone NOT NULL,
    tries integer NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    description text,
    CONSTRAINT refunds_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refunds_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT refunds_reason_check CHECK ((reason = ANY (ARRAY['verification'::text, 'surplus'::text, 'requested'::text, 'dashboard'::text]))),
    CONSTRAINT refunds_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'queued'::text, 'pending'::text, 'processing'::text, 'refunded'::text, 'failed'::text, 'canceled'::text, 'declined'::text])))
);

ALTER TABLE ONLY refunds FORCE ROW LEVEL SECURITY;

CREATE TABLE subscriptions (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    user_uuid uuid,
    payment_provider_uuid uuid NOT NULL,
    checkout_session_uuid uuid,
    product_uuid uuid NOT NULL,
    price_uuid uuid NOT NULL,
    tax_rate_uuid uuid,
    quantity integer NOT NULL,
    status text NOT NULL,
    anchor_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    mandate_uuid uuid,
    anchor_number integer DEFAULT 1 NOT NULL,
    trial_ends_at timestamp with time zone,
    paid_through timestamp with time zone,
    cancel_at timestamp with time zone,
    cancel_reason text,
    canceled_at timestamp with time zone,
    paused_at timestamp with time zone,
    pause_reason text,
    resumes_at timestamp with time zone,
    scheduled_change jsonb,
    test_clock_uuid uuid,
    version integer DEFAULT 1 NOT NULL,
    due_at timestamp with time zone,
    tax_id_country character(2),
    CONSTRAINT subscriptions_pause_reason_check CHECK ((pause_reason = ANY (ARRAY['requested'::text, 'unpaid'::text, 'chargeback'::text]))),
    CONSTRAINT subscriptions_quantity_check CHECK ((quantity >= 1)),
    CONSTRAINT subscriptions_status_check CHECK ((status = ANY (ARRAY['incomplete'::text, 'trialing'::text, 'active'::text, 'collecting'::text, 'past_due'::text, 'paused'::text, 'canceled'::text, 'expired'::text]))),
    CONSTRAINT subscriptions_tax_id_country_check CHECK ((tax_id_country ~ '^[A-Z]{2}$'::text))
);

ALTER TABLE ONLY subscriptions FORCE ROW LEVEL SECURITY;

CREATE TABLE test_clocks (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    name text,
    status text NOT NULL,
    now timestamp with time zone NOT NULL,
    advancing_to timestamp with time zone,
    failure text,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT test_clocks_advancing_check CHECK (((status = 'advancing'::text) = (advancing_to IS NOT NULL))),
    CONSTRAINT test_clocks_status_check CHECK ((status = ANY (ARRAY['ready'::text, 'advancing'::text])))
);

ALTER TABLE ONLY test_clocks FORCE ROW LEVEL SECURITY;

CREATE FUNCTION apps_with_due_work(at timestamp with time zone) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    BEGIN ATOMIC
 SELECT inbox.app_uuid
    FROM inbox
   WHERE (inbox.due_at <= apps_with_due_work.at)
 UNION
  SELECT outbox.app_uuid
    FROM outbox
   WHERE (outbox.due_at <= apps_with_due_work.at)
 UNION
  SELECT payment_attempts.app_uuid
    FROM payment_attempts
   WHERE ((payment_attempts.status = 'submitting'::text) AND (payment_attempts.due_at <= apps_with_due_work.at))
 UNION
  SELECT payments.app_uuid
    FROM payments
   WHERE (payments.due_at <= apps_with_due_work.at)
 UNION
  SELECT refunds.app_uuid
    FROM refunds
   WHERE ((refunds.status = 'requested'::text) AND (refunds.due_at <= apps_with_due_work.at))
 UNION
  SELECT captures.app_uuid
    FROM captures
   WHERE ((captures.status = 'requested'::text) AND (captures.due_at <= apps_with_due_work.at))
 UNION
  SELECT checkout_sessions.app_uuid
    FROM checkout_sessions
   WHERE ((checkout_sessions.status = 'open'::text) AND (checkout_sessions.due_at <= apps_with_due_work.at))
 UNION
  SELECT p.app_uuid
    FROM ( SELECT DISTINCT payment_providers.app_uuid
            FROM payment_providers) p
   WHERE (EXISTS ( SELECT
            FROM subscriptions s
           WHERE ((s.app_uuid = p.app_uuid) AND (s.test_clock_uuid IS NULL) AND (s.due_at <= apps_with_due_work.at))))
 UNION
  SELECT test_clocks.app_uuid
    FROM test_clocks
   WHERE (test_clocks.due_at <= apps_with_due_work.at);
END;

CREATE TABLE api_keys (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    key_type text NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    hint text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT api_keys_key_type_check CHECK ((key_type = ANY (ARRAY['read'::text, 'write'::text])))
);

ALTER TABLE ONLY api_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE apps (
    app_uuid uuid NOT NULL,
    name text NOT NULL,
    is_disabled boolean DEFAULT false NOT NULL,
    allowed_hosts text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT apps_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
);

ALTER TABLE ONLY apps FORCE ROW LEVEL SECURITY;

CREATE TABLE billing_policies (
    app_uuid uuid NOT NULL,
    time_zone text NOT NULL,
    retry_days smallint[] NOT NULL,
    grace_days smallint NOT NULL,
    final_action text NOT NULL,
    missed_periods text NOT NULL,
    chargeback_action text NOT NULL,
    minimum_charge_minor bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT billing_policies_chargeback_action_check CHECK ((chargeback_action = ANY (ARRAY['suspend'::text, 'recollect'::text, 'write_off'::text]))),
    CONSTRAINT billing_policies_final_action_check CHECK ((final_action = ANY (ARRAY['cancel'::text, 'pause'::text, 'keep'::text]))),
    CONSTRAINT billing_policies_grace_days_check CHECK (((grace_days >= 0) AND (grace_days <= 60))),
    CONSTRAINT billing_policies_minimum_charge_minor_check CHECK ((minimum_charge_minor >= 0)),
    CONSTRAINT billing_policies_missed_periods_check CHECK ((missed_periods = ANY (ARRAY['bill'::text, 'skip'::text]))),
    CONSTRAINT billing_policies_retry_days_check CHECK ((cardinality(retry_days) <= 10)),
    CONSTRAINT billing_policies_time_zone_check CHECK (((char_length(time_zone) >= 1) AND (char_length(time_zone) <= 64)))
);

ALTER TABLE ONLY billing_policies FORCE ROW LEVEL SECURITY;

CREATE TABLE bills (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    subscription_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    kind text NOT NULL,
    period_number integer,
    status text NOT NULL,
    lines jsonb NOT NULL,
    currency character(3) NOT NULL,
    subtotal_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    balance_applied_minor bigint NOT NULL,
    open_minor bigint NOT NULL,
    change jsonb,
    tries integer NOT NULL,
    first_failed_at timestamp with time zone,
    next_try_at timestamp with time zone,
    failure_reason text,
    payment_uuid uuid,
    chargeback_uuid uuid,
    issued_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT bills_balance_applied_minor_check CHECK ((balance_applied_minor >= 0)),
    CONSTRAINT bills_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT bills_kind_check CHECK ((kind = ANY (ARRAY['period'::text, 'change'::text]))),
    CONSTRAINT bills_open_check CHECK (((status = 'open'::text) = (open_minor > 0))),
    CONSTRAINT bills_open_minor_check CHECK ((open_minor >= 0)),
    CONSTRAINT bills_period_check CHECK (((kind = 'period'::text) = (period_number IS NOT NULL))),
    CONSTRAINT bills_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paid'::text, 'void'::text, 'uncollectible'::text]))),
    CONSTRAINT bills_total_check CHECK ((total_minor = (subtotal_minor + tax_minor))),
    CONSTRAINT bills_total_minor_check CHECK ((total_minor >= 0))
);

ALTER TABLE ONLY bills FORCE ROW LEVEL SECURITY;

CREATE TABLE chargebacks (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    payment_uuid uuid NOT NULL,
    provider_ref text NOT NULL,
    currency character(3) NOT NULL,
    amount_minor bigint NOT NULL,
    reason text,
    received_at timestamp with time zone NOT NULL,
    reversed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT chargebacks_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT chargebacks_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

ALTER TABLE ONLY chargebacks FORCE ROW LEVEL SECURITY;

ALTER TABLE checkout_sessions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME checkout_sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE countries (
    uuid uuid NOT NULL,
    id integer NOT NULL,
    name text NOT NULL,
    alpha2 character(2) NOT NULL,
    alpha3 character(3) NOT NULL,
    created_at timestamp with time zone DEFAULT '2026-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT '2026-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone
);

CREATE TABLE customer_balances (
    app_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    currency character(3) NOT NULL,
    minor bigint NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT customer_balances_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT customer_balances_minor_check CHECK ((minor >= 0))
);

ALTER TABLE ONLY customer_balances FORCE ROW LEVEL SECURITY;

CREATE TABLE customers (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    provider_ref text,
    lease_until timestamp with time zone NOT NULL,
    first_submitted_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY customers FORCE ROW LEVEL SECURITY;

CREATE TABLE event_counters (
    app_uuid uuid NOT NULL,
    "position" bigint NOT NULL,
    CONSTRAINT event_counters_position_check CHECK (("position" >= 0))
);

ALTER TABLE ONLY event_counters FORCE ROW LEVEL SECURITY;

CREATE TABLE idempotency_keys (
    app_uuid uuid NOT NULL,
    caller text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    subject_uuid uuid,
    answer_status integer,
    answer_body bytea,
    lease_until timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_keys_answer_check CHECK (((answer_status IS NULL) = (answer_body IS NULL))),
    CONSTRAINT idempotency_keys_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 300)))
);

ALTER TABLE ONLY idempotency_keys FORCE ROW LEVEL SECURITY;

CREATE TABLE jwt_issuers (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    issuer text NOT NULL,
    algorithm text NOT NULL,
    jwks_url text,
    public_keys text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT jwt_issuers_algorithm_check CHECK ((algorithm = ANY (ARRAY['RS256'::text, 'ES256'::text, 'EdDSA'::text]))),
    CONSTRAINT jwt_issuers_issuer_check CHECK (((char_length(issuer) >= 1) AND (char_length(issuer) <= 255))),
    CONSTRAINT jwt_issuers_keys_check CHECK (((jwks_url IS NULL) <> (cardinality(public_keys) = 0)))
);

ALTER TABLE ONLY jwt_issuers FORCE ROW LEVEL SECURITY;

CREATE TABLE ledger_postings (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    source_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    currency character(3) NOT NULL,
    receivable bigint DEFAULT 0 NOT NULL,
    cash bigint DEFAULT 0 NOT NULL,
    revenue bigint DEFAULT 0 NOT NULL,
    tax bigint DEFAULT 0 NOT NULL,
    refunds bigint DEFAULT 0 NOT NULL,
    chargebacks bigint DEFAULT 0 NOT NULL,
    write_offs bigint DEFAULT 0 NOT NULL,
    customer_balance bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ledger_postings_balance_check CHECK ((((((((((receivable + cash) + revenue) + tax) + refunds) + chargebacks) + write_offs) + customer_balance) + held) = 0)),
    CONSTRAINT ledger_postings_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT ledger_postings_kind_check CHECK ((kind = ANY (ARRAY['bill.issued'::text, 'sale.made'::text, 'payment.received'::text, 'bill.voided'::text, 'bill.written_off'::text, 'balance.granted'::text, 'balance.applied'::text, 'refund.made'::text, 'refund.failed'::text, 'chargeback.received'::text, 'chargeback.reversed'::text, 'bill.reopened'::text]))),
    CONSTRAINT ledger_postings_moves_check CHECK (((receivable <> 0) OR (cash <> 0) OR (revenue <> 0) OR (tax <> 0) OR (refunds <> 0) OR (chargebacks <> 0) OR (write_offs <> 0) OR (customer_balance <> 0) OR (held <> 0)))
);

ALTER TABLE ONLY ledger_postings FORCE ROW LEVEL SECURITY;

ALTER TABLE ledger_postings ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ledger_postings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE mandates (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    customer_ref text NOT NULL,
    provider_ref text NOT NULL,
    method text NOT NULL,
    status text NOT NULL,
    details jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    CONSTRAINT mandates_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'valid'::text, 'invalid'::text])))
);

ALTER TABLE ONLY mandates FORCE ROW LEVEL SECURITY;

CREATE TABLE memberships (
    app_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text])))
);

ALTER TABLE ONLY memberships FORCE ROW LEVEL SECURITY;

CREATE TABLE migration (
    id integer NOT NULL,
    name character varying(200) DEFAULT ''::character varying NOT NULL,
    app_name character varying(200) DEFAULT ''::character varying NOT NULL,
    ran_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE SEQUENCE migration_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE migration_id_seq OWNED BY migration.id;

CREATE TABLE one_time_payments (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    user_uuid uuid,
    payment_provider_uuid uuid NOT NULL,
    checkout_session_uuid uuid NOT NULL,
    payment_uuid uuid NOT NULL,
    product_uuid uuid NOT NULL,
    price_uuid uuid NOT NULL,
    tax_rate_uuid uuid,
    units integer NOT NULL,
    currency character(3) NOT NULL,
    subtotal_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    paid_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT one_time_payments_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT one_time_payments_total_check CHECK ((total_minor = (subtotal_minor + tax_minor))),
    CONSTRAINT one_time_payments_units_check CHECK ((units >= 1))
);

ALTER TABLE ONLY one_time_payments FORCE ROW LEVEL SECURITY;

ALTER TABLE outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE payment_providers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payment_providers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE payment_session_attempts (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_session_uuid uuid NOT NULL,
    number integer NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    checkout_session_uuid uuid,
    state text NOT NULL,
    is_probe boolean NOT NULL,
    failure text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_session_attempts_number_check CHECK ((number >= 1)),
    CONSTRAINT payment_session_attempts_state_check CHECK ((state = ANY (ARRAY['live'::text, 'abandoned'::text])))
);

ALTER TABLE ONLY payment_session_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE payment_sessions (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    user_uuid uuid,
    order_reference text NOT NULL,
    currency character(3) NOT NULL,
    shipping_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    notes jsonb NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_sessions_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT payment_sessions_order_reference_check CHECK (((char_length(order_reference) >= 1) AND (char_length(order_reference) <= 200))),
    CONSTRAINT payment_sessions_shipping_minor_check CHECK ((shipping_minor >= 0)),
    CONSTRAINT payment_sessions_tax_minor_check CHECK ((tax_minor >= 0)),
    CONSTRAINT payment_sessions_total_minor_check CHECK ((total_minor > 0))
);

ALTER TABLE ONLY payment_sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE prices (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    product_uuid uuid NOT NULL,
    payment_provider_uuid uuid,
    product_price_id text,
    currency character(3) NOT NULL,
    unit_amount_minor bigint NOT NULL,
    recurring_interval text,
    recurring_interval_count integer,
    trial_days integer NOT NULL,
    nickname text,
    lookup_key text,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT prices_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT prices_recurring_check CHECK (((recurring_interval IS NULL) = (recurring_interval_count IS NULL))),
    CONSTRAINT prices_recurring_interval_check CHECK ((recurring_interval = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    CONSTRAINT prices_recurring_interval_count_check CHECK (((recurring_interval_count >= 1) AND (recurring_interval_count <= 365))),
    CONSTRAINT prices_trial_check CHECK (((trial_days = 0) OR (recurring_interval IS NOT NULL))),
    CONSTRAINT prices_trial_days_check CHECK (((trial_days >= 0) AND (trial_days <= 730))),
    CONSTRAINT prices_unit_amount_minor_check CHECK ((unit_amount_minor >= 0))
);

ALTER TABLE ONLY prices FORCE ROW LEVEL SECURITY;

CREATE TABLE product_images (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    product_uuid uuid NOT NULL,
    "position" integer NOT NULL,
    url text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY product_images FORCE ROW LEVEL SECURITY;

CREATE TABLE products (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    product_id text,
    name text NOT NULL,
    description text,
    shippable boolean NOT NULL,
    package_dimension_height integer,
    package_dimension_width integer,
    package_dimension_length integer,
    package_dimension_weight integer,
    url text,
    metadata jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT products_description_check CHECK ((char_length(description) <= 5000)),
    CONSTRAINT products_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 250))),
    CONSTRAINT products_package_dimension_height_check CHECK ((package_dimension_height >= 0)),
    CONSTRAINT products_package_dimension_length_check CHECK ((package_dimension_length >= 0)),
    CONSTRAINT products_package_dimension_weight_check CHECK ((package_dimension_weight >= 0)),
    CONSTRAINT products_package_dimension_width_check CHECK ((package_dimension_width >= 0))
);

ALTER TABLE ONLY products FORCE ROW LEVEL SECURITY;

CREATE TABLE provider_calls (
    app_uuid uuid NOT NULL,
    try_uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    method text NOT NULL,
    currency character(3) NOT NULL,
    result text NOT NULL,
    took_ms integer NOT NULL,
    is_probe boolean NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT provider_calls_result_check CHECK ((result = ANY (ARRAY['ok'::text, 'failed'::text, 'unreachable'::text, 'refused'::text, 'busy'::text])))
);

ALTER TABLE ONLY provider_calls FORCE ROW LEVEL SECURITY;

CREATE TABLE provider_grants (
    app_uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    state_hash bytea,
    state_issued_at timestamp with time zone,
    code_hash bytea,
    code_used_at timestamp with time zone,
    finished_at timestamp with time zone,
    organization_ref text,
    profile_ref text,
    onboarding_url text,
    refresh_sealed bytea,
    access_sealed bytea,
    access_since timestamp with time zone,
    access_expires_at timestamp with time zone,
    lease_until timestamp with time zone,
    fence bigint NOT NULL,
    CONSTRAINT provider_grants_state_check CHECK (((state_hash IS NULL) = (state_issued_at IS NULL))),
    CONSTRAINT provider_grants_tokens_check CHECK (((num_nulls(refresh_sealed, access_sealed, access_since) = ANY (ARRAY[0, 3])) AND ((refresh_sealed IS NULL) OR (access_expires_at IS NOT NULL))))
);

ALTER TABLE ONLY provider_grants FORCE ROW LEVEL SECURITY;

CREATE TABLE routing_circuits (
    app_uuid uuid NOT NULL,
    payment_provider_uuid uuid NOT NULL,
    opens integer NOT NULL,
    open_until timestamp with time zone,
    probe_uuid uuid,
    probe_until timestamp with time zone,
    refused_credential bytea,
    changed_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY routing_circuits FORCE ROW LEVEL SECURITY;

CREATE TABLE routing_decisions (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    payment_session_uuid uuid NOT NULL,
    decision jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY routing_decisions FORCE ROW LEVEL SECURITY;

CREATE TABLE routing_policies (
    app_uuid uuid NOT NULL,
    version integer NOT NULL,
    policy jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT routing_policies_version_check CHECK ((version >= 1))
);

ALTER TABLE ONLY routing_policies FORCE ROW LEVEL SECURITY;

CREATE TABLE subscription_history (
    app_uuid uuid NOT NULL,
    subscription_uuid uuid NOT NULL,
    number integer NOT NULL,
    old_status text,
    new_status text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY subscription_history FORCE ROW LEVEL SECURITY;

CREATE TABLE subscription_periods (
    app_uuid uuid NOT NULL,
    subscription_uuid uuid NOT NULL,
    number integer NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    payment_uuid uuid,
    currency character(3) NOT NULL,
    subtotal_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    kind text DEFAULT 'billed'::text NOT NULL,
    bill_uuid uuid,
    CONSTRAINT subscription_periods_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT subscription_periods_kind_check CHECK ((kind = ANY (ARRAY['billed'::text, 'trial'::text, 'skipped'::text]))),
    CONSTRAINT subscription_periods_number_check CHECK ((number >= 0)),
    CONSTRAINT subscription_periods_order_check CHECK ((ends_at > starts_at)),
    CONSTRAINT subscription_periods_total_check CHECK ((total_minor = (subtotal_minor + tax_minor)))
);

ALTER TABLE ONLY subscription_periods FORCE ROW LEVEL SECURITY;

CREATE TABLE tax_rates (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    id bigint NOT NULL,
    tax_rate_id text,
    payment_provider_uuid uuid,
    country_uuid uuid NOT NULL,
    name text NOT NULL,
    percentage_e4 integer NOT NULL,
    inclusive boolean NOT NULL,
    state text,
    jurisdiction text,
    description text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT tax_rates_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT tax_rates_percentage_e4_check CHECK (((percentage_e4 >= 0) AND (percentage_e4 <= 1000000)))
);

ALTER TABLE ONLY tax_rates FORCE ROW LEVEL SECURITY;

ALTER TABLE tax_rates ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tax_rates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tenants (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    name text NOT NULL,
    email text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    test_clock_uuid uuid,
    CONSTRAINT tenants_email_check CHECK ((char_length(email) <= 320)),
    CONSTRAINT tenants_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
);

ALTER TABLE ONLY tenants FORCE ROW LEVEL SECURITY;

CREATE TABLE trials (
    app_uuid uuid NOT NULL,
    tenant_uuid uuid NOT NULL,
    product_uuid uuid NOT NULL,
    subscription_uuid uuid NOT NULL,
    started_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY trials FORCE ROW LEVEL SECURITY;

ALTER TABLE webhook_deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME webhook_deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE webhook_endpoints (
    app_uuid uuid NOT NULL,
    uuid uuid NOT NULL,
    url text NOT NULL,
    event_types text[] NOT NULL,
    description text,
    secret_sealed bytea NOT NULL,
    previous_secret_sealed bytea,
    previous_secret_expires_at timestamp with time zone,
    status text NOT NULL,
    disabled_reason text,
    failing_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT webhook_endpoints_disabled_check CHECK (((status = 'disabled'::text) = (disabled_reason IS NOT NULL))),
    CONSTRAINT webhook_endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['by_hand'::text, 'failing'::text, 'gone'::text, 'deleted'::text]))),
    CONSTRAINT webhook_endpoints_previous_check CHECK (((previous_secret_sealed IS NULL) = (previous_secret_expires_at IS NULL))),
    CONSTRAINT webhook_endpoints_status_check CHECK ((status = ANY (ARRAY['enabled'::text, 'disabled'::text]))),
    CONSTRAINT webhook_endpoints_url_check CHECK (((char_length(url) >= 1) AND (char_length(url) <= 2048)))
);

ALTER TABLE ONLY webhook_endpoints FORCE ROW LEVEL SECURITY;

CREATE TABLE webhook_tries (
    app_uuid uuid NOT NULL,
    delivery_uuid uuid NOT NULL,
    number integer NOT NULL,
    tried_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    http_status integer,
    error text,
    excerpt text NOT NULL,
    CONSTRAINT webhook_tries_duration_ms_check CHECK ((duration_ms >= 0)),
    CONSTRAINT webhook_tries_number_check CHECK ((number > 0)),
    CONSTRAINT webhook_tries_outcome_check CHECK (((http_status IS NULL) <> (error IS NULL)))
);

ALTER TABLE ONLY webhook_tries FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY migration ALTER COLUMN id SET DEFAULT nextval('migration_id_seq'::regclass);

ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_secret_key UNIQUE (app_uuid, secret_hash);

ALTER TABLE ONLY apps
    ADD CONSTRAINT apps_pkey PRIMARY KEY (app_uuid);

ALTER TABLE ONLY billing_policies
    ADD CONSTRAINT billing_policies_pkey PRIMARY KEY (app_uuid);

ALTER TABLE ONLY bills
    ADD CONSTRAINT bills_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY captures
    ADD CONSTRAINT captures_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY captures
    ADD CONSTRAINT captures_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY chargebacks
    ADD CONSTRAINT chargebacks_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY chargebacks
    ADD CONSTRAINT chargebacks_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY countries
    ADD CONSTRAINT countries_alpha2_key UNIQUE (alpha2);

ALTER TABLE ONLY countries
    ADD CONSTRAINT countries_alpha3_key UNIQUE (alpha3);

ALTER TABLE ONLY countries
    ADD CONSTRAINT countries_id_key UNIQUE (id);

ALTER TABLE ONLY countries
    ADD CONSTRAINT countries_pkey PRIMARY KEY (uuid);

ALTER TABLE ONLY customer_balances
    ADD CONSTRAINT customer_balances_pkey PRIMARY KEY (app_uuid, tenant_uuid, currency);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_tenant_key UNIQUE (app_uuid, payment_provider_uuid, tenant_uuid);

ALTER TABLE ONLY event_counters
    ADD CONSTRAINT event_counters_pkey PRIMARY KEY (app_uuid);

ALTER TABLE ONLY idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (app_uuid, caller, operation, key);

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY jwt_issuers
    ADD CONSTRAINT jwt_issuers_issuer_key UNIQUE (app_uuid, issuer);

ALTER TABLE ONLY jwt_issuers
    ADD CONSTRAINT jwt_issuers_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY ledger_postings
    ADD CONSTRAINT ledger_postings_fact_key UNIQUE (app_uuid, source_uuid, kind);

ALTER TABLE ONLY ledger_postings
    ADD CONSTRAINT ledger_postings_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY mandates
    ADD CONSTRAINT mandates_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY mandates
    ADD CONSTRAINT mandates_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (app_uuid, tenant_uuid, user_uuid);

ALTER TABLE ONLY migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (id);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_payment_key UNIQUE (app_uuid, payment_uuid);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_session_key UNIQUE (app_uuid, checkout_session_uuid);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_position_key UNIQUE (app_uuid, "position");

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_sequence_key UNIQUE (app_uuid, aggregate_uuid, sequence);

ALTER TABLE ONLY payment_attempts
    ADD CONSTRAINT payment_attempts_bill_number_key UNIQUE (app_uuid, bill_uuid, number);

ALTER TABLE ONLY payment_attempts
    ADD CONSTRAINT payment_attempts_number_key UNIQUE (app_uuid, checkout_session_uuid, number);

ALTER TABLE ONLY payment_attempts
    ADD CONSTRAINT payment_attempts_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY payment_providers
    ADD CONSTRAINT payment_providers_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY payment_session_attempts
    ADD CONSTRAINT payment_session_attempts_number_key UNIQUE (app_uuid, payment_session_uuid, number);

ALTER TABLE ONLY payment_session_attempts
    ADD CONSTRAINT payment_session_attempts_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY payment_sessions
    ADD CONSTRAINT payment_sessions_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY product_images
    ADD CONSTRAINT product_images_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY products
    ADD CONSTRAINT products_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY provider_calls
    ADD CONSTRAINT provider_calls_pkey PRIMARY KEY (app_uuid, try_uuid);

ALTER TABLE ONLY provider_grants
    ADD CONSTRAINT provider_grants_pkey PRIMARY KEY (app_uuid, payment_provider_uuid);

ALTER TABLE ONLY refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY refunds
    ADD CONSTRAINT refunds_provider_ref_key UNIQUE (app_uuid, payment_provider_uuid, provider_ref);

ALTER TABLE ONLY routing_circuits
    ADD CONSTRAINT routing_circuits_pkey PRIMARY KEY (app_uuid, payment_provider_uuid);

ALTER TABLE ONLY routing_decisions
    ADD CONSTRAINT routing_decisions_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY routing_decisions
    ADD CONSTRAINT routing_decisions_session_key UNIQUE (app_uuid, payment_session_uuid);

ALTER TABLE ONLY routing_policies
    ADD CONSTRAINT routing_policies_pkey PRIMARY KEY (app_uuid, version);

ALTER TABLE ONLY subscription_history
    ADD CONSTRAINT subscription_history_pkey PRIMARY KEY (app_uuid, subscription_uuid, number);

ALTER TABLE ONLY subscription_periods
    ADD CONSTRAINT subscription_periods_pkey PRIMARY KEY (app_uuid, subscription_uuid, number);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_session_key UNIQUE (app_uuid, checkout_session_uuid);

ALTER TABLE ONLY tax_rates
    ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY test_clocks
    ADD CONSTRAINT test_clocks_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY trials
    ADD CONSTRAINT trials_pkey PRIMARY KEY (app_uuid, tenant_uuid, product_uuid);

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (app_uuid, uuid);

ALTER TABLE ONLY webhook_tries
    ADD CONSTRAINT webhook_tries_pkey PRIMARY KEY (app_uuid, delivery_uuid, number);

CREATE INDEX bills_payment_idx ON bills USING btree (app_uuid, payment_uuid) WHERE (payment_uuid IS NOT NULL);

CREATE UNIQUE INDEX bills_period_key ON bills USING btree (app_uuid, subscription_uuid, period_number) WHERE (kind = 'period'::text);

CREATE INDEX bills_subscription_idx ON bills USING btree (app_uuid, subscription_uuid, uuid);

CREATE INDEX bills_tenant_idx ON bills USING btree (app_uuid, tenant_uuid, uuid);

CREATE INDEX captures_due_idx ON captures USING btree (due_at, app_uuid) WHERE (status = 'requested'::text);

CREATE INDEX captures_payment_idx ON captures USING btree (app_uuid, payment_uuid);

CREATE INDEX chargebacks_payment_idx ON chargebacks USING btree (app_uuid, payment_uuid);

CREATE INDEX checkout_sessions_collected_idx ON checkout_sessions USING btree (app_uuid, updated_at) WHERE ((collected IS NOT NULL) AND (status = ANY (ARRAY['expired'::text, 'failed'::text])));

CREATE INDEX checkout_sessions_due_idx ON checkout_sessions USING btree (due_at, app_uuid) WHERE (status = 'open'::text);

CREATE INDEX checkout_sessions_tenant_idx ON checkout_sessions USING btree (app_uuid, tenant_uuid, uuid);

CREATE INDEX idempotency_keys_expiry_idx ON idempotency_keys USING btree (app_uuid, expires_at);

CREATE INDEX inbox_due_idx ON inbox USING btree (due_at, app_uuid) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX inbox_event_key ON inbox USING btree (app_uuid, payment_provider_uuid, event_id) WHERE (event_id IS NOT NULL);

CREATE INDEX ledger_postings_id_idx ON ledger_postings USING btree (app_uuid, id);

CREATE INDEX ledger_postings_tenant_idx ON ledger_postings USING btree (app_uuid, tenant_uuid, id);

CREATE UNIQUE INDEX mandates_default_key ON mandates USING btree (app_uuid, payment_provider_uuid, tenant_uuid) WHERE is_default;

CREATE INDEX mandates_tenant_idx ON mandates USING btree (app_uuid, tenant_uuid);

CREATE INDEX memberships_user_idx ON memberships USING btree (app_uuid, user_uuid);

CREATE INDEX one_time_payments_tenant_idx ON one_time_payments USING btree (app_uuid, tenant_uuid, uuid);

CREATE INDEX outbox_due_idx ON outbox USING btree (due_at, app_uuid, uuid) WHERE (due_at IS NOT NULL);

CREATE INDEX outbox_happened_idx ON outbox USING btree (app_uuid, happened_at) WHERE ("position" IS NOT NULL);

CREATE INDEX outbox_unpublished_idx ON outbox USING btree (app_uuid, id) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX payment_attempts_bill_key ON payment_attempts USING btree (app_uuid, bill_uuid) WHERE (status = 'submitting'::text);

CREATE INDEX payment_attempts_due_idx ON payment_attempts USING btree (due_at, app_uuid) WHERE (status = 'submitting'::text);

CREATE UNIQUE INDEX payment_providers_connection_key ON payment_providers USING btree (app_uuid, name, mode) WHERE ((connected_by = 'oauth'::text) AND (deleted_at IS NULL));

CREATE UNIQUE INDEX payment_providers_default_key ON payment_providers USING btree (app_uuid, name) WHERE (is_default AND (deleted_at IS NULL));

CREATE INDEX payment_providers_sweep_idx ON payment_providers USING btree (sweep_due_at, app_uuid) WHERE (deleted_at IS NULL);

CREATE INDEX payment_providers_uuid_idx ON payment_providers USING btree (uuid);

CREATE UNIQUE INDEX payment_session_attempts_live_key ON payment_session_attempts USING btree (app_uuid, payment_session_uuid) WHERE (state = 'live'::text);

CREATE UNIQUE INDEX payments_attempt_key ON payments USING btree (app_uuid, attempt_uuid) WHERE (NOT is_surplus);

CREATE INDEX payments_bill_idx ON payments USING btree (app_uuid, bill_uuid) WHERE (bill_uuid IS NOT NULL);

CREATE INDEX payments_due_idx ON payments USING btree (due_at, app_uuid) WHERE (due_at IS NOT NULL);

CREATE INDEX payments_outcome_idx ON payments USING btree (app_uuid, payment_provider_uuid, created_at DESC) WHERE ((checkout_session_uuid IS NOT NULL) AND (status = ANY (ARRAY['authorized'::text, 'paid'::text, 'failed'::text])));

CREATE INDEX payments_session_idx ON payments USING btree (app_uuid, checkout_session_uuid);

CREATE INDEX payments_tenant_idx ON payments USING btree (app_uuid, tenant_uuid, uuid);

CREATE UNIQUE INDEX prices_lookup_key_key ON prices USING btree (app_uuid, lookup_key) WHERE ((lookup_key IS NOT NULL) AND (archived_at IS NULL));

CREATE INDEX prices_product_idx ON prices USING btree (app_uuid, product_uuid);

CREATE INDEX product_images_product_idx ON product_images USING btree (app_uuid, product_uuid);

CREATE INDEX provider_calls_recent_idx ON provider_calls USING btree (app_uuid, payment_provider_uuid, at DESC);

CREATE INDEX refunds_due_idx ON refunds USING btree (due_at, app_uuid) WHERE (status = 'requested'::text);

CREATE UNIQUE INDEX refunds_once_key ON refunds USING btree (app_uuid, payment_uuid, reason) WHERE ((reason = ANY (ARRAY['verification'::text, 'surplus'::text])) AND (status <> 'declined'::text));

CREATE INDEX refunds_payment_idx ON refunds USING btree (app_uuid, payment_uuid);

CREATE INDEX subscriptions_due_idx ON subscriptions USING btree (app_uuid, due_at) WHERE ((due_at IS NOT NULL) AND (test_clock_uuid IS NULL));

CREATE INDEX subscriptions_tenant_idx ON subscriptions USING btree (app_uuid, tenant_uuid, uuid);

CREATE INDEX subscriptions_test_clock_idx ON subscriptions USING btree (app_uuid, test_clock_uuid, due_at) WHERE (test_clock_uuid IS NOT NULL);

CREATE INDEX tenants_test_clock_idx ON tenants USING btree (app_uuid, test_clock_uuid) WHERE (test_clock_uuid IS NOT NULL);

CREATE INDEX test_clocks_due_idx ON test_clocks USING btree (due_at, app_uuid) WHERE (due_at IS NOT NULL);

CREATE INDEX webhook_deliveries_claim_idx ON webhook_deliveries USING btree (app_uuid, webhook_endpoint_uuid, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries USING btree (due_at, app_uuid) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX webhook_deliveries_first_key ON webhook_deliveries USING btree (app_uuid, webhook_endpoint_uuid, aggregate_uuid) WHERE (due_at IS NOT NULL);

CREATE INDEX webhook_deliveries_line_idx ON webhook_deliveries USING btree (app_uuid, webhook_endpoint_uuid, aggregate_uuid, id) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_log_idx ON webhook_deliveries USING btree (app_uuid, webhook_endpoint_uuid, id);

CREATE INDEX webhook_deliveries_settled_idx ON webhook_deliveries USING btree (app_uuid, settled_at) WHERE (settled_at IS NOT NULL);

ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY billing_policies
    ADD CONSTRAINT billing_policies_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY bills
    ADD CONSTRAINT bills_chargeback_fkey FOREIGN KEY (app_uuid, chargeback_uuid) REFERENCES chargebacks(app_uuid, uuid);

ALTER TABLE ONLY bills
    ADD CONSTRAINT bills_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY bills
    ADD CONSTRAINT bills_subscription_fkey FOREIGN KEY (app_uuid, subscription_uuid) REFERENCES subscriptions(app_uuid, uuid);

ALTER TABLE ONLY captures
    ADD CONSTRAINT captures_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY chargebacks
    ADD CONSTRAINT chargebacks_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_price_fkey FOREIGN KEY (app_uuid, price_uuid) REFERENCES prices(app_uuid, uuid);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_subscription_fkey FOREIGN KEY (app_uuid, subscription_uuid) REFERENCES subscriptions(app_uuid, uuid);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_tax_rate_fkey FOREIGN KEY (app_uuid, tax_rate_uuid) REFERENCES tax_rates(app_uuid, uuid);

ALTER TABLE ONLY checkout_sessions
    ADD CONSTRAINT checkout_sessions_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY customer_balances
    ADD CONSTRAINT customer_balances_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY event_counters
    ADD CONSTRAINT event_counters_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY idempotency_keys
    ADD CONSTRAINT idempotency_keys_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY jwt_issuers
    ADD CONSTRAINT jwt_issuers_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY ledger_postings
    ADD CONSTRAINT ledger_postings_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY mandates
    ADD CONSTRAINT mandates_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY mandates
    ADD CONSTRAINT mandates_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY memberships
    ADD CONSTRAINT memberships_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_price_fkey FOREIGN KEY (app_uuid, price_uuid) REFERENCES prices(app_uuid, uuid);

ALTER TABLE ONLY one_time_payments
    ADD CONSTRAINT one_time_payments_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY payment_attempts
    ADD CONSTRAINT payment_attempts_bill_fkey FOREIGN KEY (app_uuid, bill_uuid) REFERENCES bills(app_uuid, uuid);

ALTER TABLE ONLY payment_attempts
    ADD CONSTRAINT payment_attempts_session_fkey FOREIGN KEY (app_uuid, checkout_session_uuid) REFERENCES checkout_sessions(app_uuid, uuid);

ALTER TABLE ONLY payment_providers
    ADD CONSTRAINT payment_providers_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY payment_session_attempts
    ADD CONSTRAINT payment_session_attempts_checkout_fkey FOREIGN KEY (app_uuid, checkout_session_uuid) REFERENCES checkout_sessions(app_uuid, uuid);

ALTER TABLE ONLY payment_session_attempts
    ADD CONSTRAINT payment_session_attempts_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY payment_session_attempts
    ADD CONSTRAINT payment_session_attempts_session_fkey FOREIGN KEY (app_uuid, payment_session_uuid) REFERENCES payment_sessions(app_uuid, uuid);

ALTER TABLE ONLY payment_sessions
    ADD CONSTRAINT payment_sessions_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_attempt_fkey FOREIGN KEY (app_uuid, attempt_uuid) REFERENCES payment_attempts(app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_bill_fkey FOREIGN KEY (app_uuid, bill_uuid) REFERENCES bills(app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_session_fkey FOREIGN KEY (app_uuid, checkout_session_uuid) REFERENCES checkout_sessions(app_uuid, uuid);

ALTER TABLE ONLY payments
    ADD CONSTRAINT payments_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY prices
    ADD CONSTRAINT prices_product_fkey FOREIGN KEY (app_uuid, product_uuid) REFERENCES products(app_uuid, uuid);

ALTER TABLE ONLY product_images
    ADD CONSTRAINT product_images_product_fkey FOREIGN KEY (app_uuid, product_uuid) REFERENCES products(app_uuid, uuid);

ALTER TABLE ONLY products
    ADD CONSTRAINT products_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY provider_calls
    ADD CONSTRAINT provider_calls_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY provider_grants
    ADD CONSTRAINT provider_grants_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY refunds
    ADD CONSTRAINT refunds_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY routing_circuits
    ADD CONSTRAINT routing_circuits_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY routing_decisions
    ADD CONSTRAINT routing_decisions_session_fkey FOREIGN KEY (app_uuid, payment_session_uuid) REFERENCES payment_sessions(app_uuid, uuid);

ALTER TABLE ONLY routing_policies
    ADD CONSTRAINT routing_policies_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY subscription_history
    ADD CONSTRAINT subscription_history_subscription_fkey FOREIGN KEY (app_uuid, subscription_uuid) REFERENCES subscriptions(app_uuid, uuid);

ALTER TABLE ONLY subscription_periods
    ADD CONSTRAINT subscription_periods_bill_fkey FOREIGN KEY (app_uuid, bill_uuid) REFERENCES bills(app_uuid, uuid);

ALTER TABLE ONLY subscription_periods
    ADD CONSTRAINT subscription_periods_payment_fkey FOREIGN KEY (app_uuid, payment_uuid) REFERENCES payments(app_uuid, uuid);

ALTER TABLE ONLY subscription_periods
    ADD CONSTRAINT subscription_periods_subscription_fkey FOREIGN KEY (app_uuid, subscription_uuid) REFERENCES subscriptions(app_uuid, uuid);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_mandate_fkey FOREIGN KEY (app_uuid, mandate_uuid) REFERENCES mandates(app_uuid, uuid);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_price_fkey FOREIGN KEY (app_uuid, price_uuid) REFERENCES prices(app_uuid, uuid);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY subscriptions
    ADD CONSTRAINT subscriptions_test_clock_fkey FOREIGN KEY (app_uuid, test_clock_uuid) REFERENCES test_clocks(app_uuid, uuid);

ALTER TABLE ONLY tax_rates
    ADD CONSTRAINT tax_rates_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY tax_rates
    ADD CONSTRAINT tax_rates_country_fkey FOREIGN KEY (country_uuid) REFERENCES countries(uuid);

ALTER TABLE ONLY tax_rates
    ADD CONSTRAINT tax_rates_payment_provider_fkey FOREIGN KEY (app_uuid, payment_provider_uuid) REFERENCES payment_providers(app_uuid, uuid);

ALTER TABLE ONLY tenants
    ADD CONSTRAINT tenants_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY tenants
    ADD CONSTRAINT tenants_test_clock_fkey FOREIGN KEY (app_uuid, test_clock_uuid) REFERENCES test_clocks(app_uuid, uuid);

ALTER TABLE ONLY test_clocks
    ADD CONSTRAINT test_clocks_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY trials
    ADD CONSTRAINT trials_product_fkey FOREIGN KEY (app_uuid, product_uuid) REFERENCES products(app_uuid, uuid);

ALTER TABLE ONLY trials
    ADD CONSTRAINT trials_tenant_fkey FOREIGN KEY (app_uuid, tenant_uuid) REFERENCES tenants(app_uuid, uuid);

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_fkey FOREIGN KEY (app_uuid, webhook_endpoint_uuid) REFERENCES webhook_endpoints(app_uuid, uuid);

ALTER TABLE ONLY webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_event_fkey FOREIGN KEY (app_uuid, event_uuid) REFERENCES outbox(app_uuid, uuid);

ALTER TABLE ONLY webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_app_fkey FOREIGN KEY (app_uuid) REFERENCES apps(app_uuid);

ALTER TABLE ONLY webhook_tries
    ADD CONSTRAINT webhook_tries_delivery_fkey FOREIGN KEY (app_uuid, delivery_uuid) REFERENCES webhook_deliveries(app_uuid, uuid) ON DELETE CASCADE;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE apps ENABLE ROW LEVEL SECURITY;

ALTER TABLE billing_policies ENABLE ROW LEVEL SECURITY;

ALTER TABLE bills ENABLE ROW LEVEL SECURITY;

ALTER TABLE captures ENABLE ROW LEVEL SECURITY;

ALTER TABLE chargebacks ENABLE ROW LEVEL SECURITY;

ALTER TABLE checkout_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE countries ENABLE ROW LEVEL SECURITY;

ALTER TABLE customer_balances ENABLE ROW LEVEL SECURITY;

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory ON captures FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON checkout_sessions FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON inbox FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON outbox FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON payment_attempts FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON payment_providers FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON payments FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON refunds FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON subscriptions FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON test_clocks FOR SELECT TO schema_owner USING (true);

CREATE POLICY directory ON webhook_deliveries FOR SELECT TO schema_owner USING (true);

ALTER TABLE event_counters ENABLE ROW LEVEL SECURITY;

CREATE POLICY everyone_reads ON countries FOR SELECT USING (true);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY isolation ON api_keys USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON apps USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON billing_policies USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON bills USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON captures USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON chargebacks USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON checkout_sessions USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON customer_balances USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON customers USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON event_counters USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON idempotency_keys USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON inbox USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON jwt_issuers USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON ledger_postings USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON mandates USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON memberships USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON one_time_payments USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON outbox USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON payment_attempts USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON payment_providers USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON payment_session_attempts USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON payment_sessions USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON payments USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON prices USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON product_images USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON products USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON provider_calls USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON provider_grants USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON refunds USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON routing_circuits USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON routing_decisions USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON routing_policies USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON subscription_history USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON subscription_periods USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON subscriptions USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON tax_rates USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON tenants USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON test_clocks USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON trials USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON webhook_deliveries USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON webhook_endpoints USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

CREATE POLICY isolation ON webhook_tries USING ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid)) WITH CHECK ((app_uuid = (NULLIF(current_setting('kontor.app'::text, true), ''::text))::uuid));

ALTER TABLE jwt_issuers ENABLE ROW LEVEL SECURITY;

ALTER TABLE ledger_postings ENABLE ROW LEVEL SECURITY;

ALTER TABLE mandates ENABLE ROW LEVEL SECURITY;

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;

ALTER TABLE one_time_payments ENABLE ROW LEVEL SECURITY;

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE payment_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE payment_providers ENABLE ROW LEVEL SECURITY;

ALTER TABLE payment_session_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE payment_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments ENABLE ROW LEVEL SECURITY;

ALTER TABLE prices ENABLE ROW LEVEL SECURITY;

ALTER TABLE product_images ENABLE ROW LEVEL SECURITY;

ALTER TABLE products ENABLE ROW LEVEL SECURITY;

ALTER TABLE provider_calls ENABLE ROW LEVEL SECURITY;

ALTER TABLE provider_grants ENABLE ROW LEVEL SECURITY;

ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;

ALTER TABLE routing_circuits ENABLE ROW LEVEL SECURITY;

ALTER TABLE routing_decisions ENABLE ROW LEVEL SECURITY;

ALTER TABLE routing_policies ENABLE ROW LEVEL SECURITY;

ALTER TABLE subscription_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE subscription_periods ENABLE ROW LEVEL SECURITY;

ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;

ALTER TABLE tax_rates ENABLE ROW LEVEL SECURITY;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;

ALTER TABLE test_clocks ENABLE ROW LEVEL SECURITY;

ALTER TABLE trials ENABLE ROW LEVEL SECURITY;

ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;

ALTER TABLE webhook_tries ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA public TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE payment_providers TO kontor_app;

REVOKE ALL ON FUNCTION app_of_payment_provider(provider uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app_of_payment_provider(provider uuid) TO kontor_app;

REVOKE ALL ON FUNCTION apps_with_accounts() FROM PUBLIC;
GRANT ALL ON FUNCTION apps_with_accounts() TO kontor_app;

REVOKE ALL ON FUNCTION apps_with_due_sweeps(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION apps_with_due_sweeps(at timestamp with time zone) TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE webhook_deliveries TO kontor_app;

REVOKE ALL ON FUNCTION apps_with_due_webhooks(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION apps_with_due_webhooks(at timestamp with time zone) TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE captures TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE checkout_sessions TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE inbox TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE outbox TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE payment_attempts TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE payments TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE refunds TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE subscriptions TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE test_clocks TO kontor_app;

REVOKE ALL ON FUNCTION apps_with_due_work(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION apps_with_due_work(at timestamp with time zone) TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE api_keys TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE apps TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE billing_policies TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE bills TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE chargebacks TO kontor_app;

GRANT SELECT ON TABLE countries TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE customer_balances TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE customers TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE event_counters TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE idempotency_keys TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE jwt_issuers TO kontor_app;

GRANT SELECT,INSERT ON TABLE ledger_postings TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE mandates TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE memberships TO kontor_app;

GRANT SELECT ON TABLE migration TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE one_time_payments TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE payment_session_attempts TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE payment_sessions TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE prices TO kontor_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE product_images TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE products TO kontor_app;

GRANT SELECT,INSERT,DELETE ON TABLE provider_calls TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE provider_grants TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE routing_circuits TO kontor_app;

GRANT SELECT,INSERT ON TABLE routing_decisions TO kontor_app;

GRANT SELECT,INSERT ON TABLE routing_policies TO kontor_app;

GRANT SELECT,INSERT ON TABLE subscription_history TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE subscription_periods TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE tax_rates TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE tenants TO kontor_app;

GRANT SELECT,INSERT ON TABLE trials TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE webhook_endpoints TO kontor_app;

GRANT SELECT,INSERT,UPDATE ON TABLE webhook_tries TO kontor_app;
