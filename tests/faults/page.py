"""A shopper's browser, as far as the hosted page needs one: it finds the form and submits it."""

from html.parser import HTMLParser

import httpx


class Form(HTMLParser):
    """The first form of a page: where it goes, and which outcomes can be chosen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.method, self.action = "", ""
        self.choices: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.method:
            self.method, self.action = given["method"].lower(), given.get("action", "")
        if tag == "input" and given.get("type") == "radio":
            self.choices.setdefault(given["name"], []).append(given["value"])


def decide(http: httpx.Client, page_url: str, outcome: str) -> str:
    """Open the hosted page and choose. Returns where the shopper is sent next."""
    page = http.get(page_url)
    assert page.status_code == 200, page.text
    form = Form(page.text)
    ((name, outcomes),) = form.choices.items()
    assert sorted(outcomes) == ["canceled", "expired", "failed", "open", "paid"]
    assert form.method == "post"
    answer = http.post(page.url.join(form.action), data={name: outcome})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
