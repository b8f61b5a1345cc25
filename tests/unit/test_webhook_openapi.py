"""What the OpenAPI document says about the webhook route."""

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from prometheus_client import CollectorRegistry

from adapters.endpoint_cache import CachedEndpoints
from adapters.memory.bell import MemoryBell
from adapters.memory.inbox_intake import MemoryInboxIntake
from adapters.memory.rate_limit import MemoryRateLimit
from adapters.memory.webhook_endpoints import MemoryEndpoints
from application.receive_webhook import ReceiveWebhook
from entrypoints.web.webhook_metrics import WebhookMetrics
from entrypoints.web.webhooks import webhook_handlers
from tests.support.signed_deliveries import NOW


def test_the_document_names_address_body_and_every_answer():
    reception = ReceiveWebhook(
        providers={},
        endpoints=CachedEndpoints(MemoryEndpoints()),
        rate_limit=MemoryRateLimit(),
        inbox=MemoryInboxIntake(),
        bell=MemoryBell(),
        clock=lambda: NOW,
    )
    handlers = webhook_handlers(reception, metrics=WebhookMetrics(CollectorRegistry(), []))

    document = Litestar(handlers, openapi_config=OpenAPIConfig("Mailpulse", "1")).openapi_schema.to_schema()

    (path, operations), *others = document["paths"].items()
    assert (path, list(operations), others) == ("/webhooks/{provider}/{endpoint_id}", ["post"], [])
    post = operations["post"]
    assert {parameter["name"] for parameter in post["parameters"]} == {"provider", "endpoint_id"}
    assert post["requestBody"]["content"].keys() == {
        "application/json",
        "text/plain",
        "multipart/form-data",
        "message/rfc822",
    }
    assert post["requestBody"]["content"]["application/json"]["examples"]
    assert set(post["responses"]) == {"200", "401", "403", "404", "405", "408", "413", "429", "503"}
    assert "Retry-After" in post["responses"]["503"]["headers"]
    assert post["responses"]["401"]["content"]["application/problem+json"]["examples"]
