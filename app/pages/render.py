"""Pages for shoppers: HTML without scripts, nothing from elsewhere, nothing kept by browsers."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from app.pages.languages import Language

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

STYLE_PATH: Final = "/checkout/style.css"
STYLE: Final = (_HERE / "static" / "style.css").read_text()

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(template: str, language: Language, status: int = 200, **values: object) -> Response[str]:
    html = _TEMPLATES.get_template(template).render(
        lang=language, say=language.say, style_path=STYLE_PATH, **values
    )
    return Response(html, status_code=status, media_type="text/html", headers=SECURITY_HEADERS)
