"""Every page, and what guards them."""

from typing import Any

from entrypoints.web.auth import refuse_unstorable_text
from entrypoints.web.encoded_slashes import restore_slashes
from entrypoints.web.head_requests import ReadingRouter
from entrypoints.web.pages.assets_route import send_asset
from entrypoints.web.pages.campaigns import CAMPAIGN_PAGES
from entrypoints.web.pages.candidates import CANDIDATE_PAGES
from entrypoints.web.pages.choosing import CHOOSING_PAGES
from entrypoints.web.pages.dashboard import DASHBOARD_PAGES
from entrypoints.web.pages.emails import EMAIL_PAGES
from entrypoints.web.pages.errors import PAGE_EXCEPTION_HANDLERS
from entrypoints.web.pages.form_bodies import MOST_FORM_BYTES
from entrypoints.web.pages.help import HELP_PAGES
from entrypoints.web.pages.key_settings import KEY_SETTINGS_PAGES
from entrypoints.web.pages.notification_settings import NOTIFICATION_SETTINGS_PAGES
from entrypoints.web.pages.notifications import NOTIFICATION_PAGES
from entrypoints.web.pages.outgoing_settings import OUTGOING_SETTINGS_PAGES
from entrypoints.web.pages.reports import REPORT_PAGES
from entrypoints.web.pages.sign_in import show_sign_in, sign_in, sign_out
from entrypoints.web.pages.tracking_settings import TRACKING_SETTINGS_PAGES
from entrypoints.web.pages.visitors import admit_visitor
from entrypoints.web.pages.webhook_settings import WEBHOOK_SETTINGS_PAGES
from entrypoints.web.pages.zones import ZONE_PAGES


def page_routes() -> list[Any]:
    """Give the routes: those for visitors, and those that let people become visitors."""
    return [
        ReadingRouter(
            "/",
            guards=[restore_slashes, admit_visitor, refuse_unstorable_text],
            route_handlers=[
                *DASHBOARD_PAGES,
                sign_out,
                *CHOOSING_PAGES,
                *CANDIDATE_PAGES,
                *EMAIL_PAGES,
                *CAMPAIGN_PAGES,
                *NOTIFICATION_PAGES,
                *ZONE_PAGES,
                *REPORT_PAGES,
                *TRACKING_SETTINGS_PAGES,
                *KEY_SETTINGS_PAGES,
                *NOTIFICATION_SETTINGS_PAGES,
                *WEBHOOK_SETTINGS_PAGES,
                *OUTGOING_SETTINGS_PAGES,
                *HELP_PAGES,
            ],
            exception_handlers=PAGE_EXCEPTION_HANDLERS,
            request_max_body_size=MOST_FORM_BYTES,
        ),
        ReadingRouter(
            "/",
            route_handlers=[show_sign_in, sign_in, send_asset],
            exception_handlers=PAGE_EXCEPTION_HANDLERS,
            request_max_body_size=MOST_FORM_BYTES,
        ),
    ]
