"""The OpenAPI document, from the code."""

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Kontor",
        version="1",
        description="Checkout, mandates, subscriptions: the billing module of a SaaS app.",
        path="/schema",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "apiKey": SecurityScheme(
                    type="apiKey", name="x-api-key", security_scheme_in="header"
                ),
            }
        ),
        tags=[
            Tag("Checkout"),
            Tag("Products"),
        ],
    )
