"""The login in front of the pages behind cards, where `WHY_LINKS=login`: a form, and a cookie that ends by itself.

Whoever has not logged in gets the form at any address of a card, whether there is such a card or not. A form that
another site sends is not read: browsers of today say from where it comes (Sec-Fetch-Site), and most others from which
origin. An old one whose sender hides its origin is believed, as our own pages give no referrer and look the same.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from cds_service.errors import StoreError, TooOften
from cds_service.pages.twin import as_json, json_wanted
from cds_service.security.links import LOGIN_PATH, LOGOUT_PATH, PATH, is_card
from cds_service.security.readers import Login, Reader, is_name

COOKIE = "aml-cds-reader"
WRONG = "That name with that password is not known here. Both have to be typed as they were given to you."
_FOREIGN = "That form came from a page of another site, and was not read. Please log in here."
_LARGEST = 4096  # bytes of a form
_HERE = ("same-origin", "none")  # Sec-Fetch-Site of a form of ours, or of what was typed or asked for again


def login(known: Login, public_url: str) -> Blueprint:
    """The blueprint. `public_url`: under which browsers see this service."""
    pages = Blueprint("login", __name__, template_folder="templates")
    at = urlsplit(public_url)

    def with_cookie(answer: AnyResponse, value: str, seconds: int) -> AnyResponse:
        """No link of another site carries it into a form, scripts never see it, and only our pages behind cards do."""
        answer.set_cookie(
            COOKIE, value, max_age=seconds, path=at.path + PATH, secure=at.scheme == "https", httponly=True,
            samesite="Lax",
        )  # fmt: skip
        return answer

    @pages.get(LOGIN_PATH)
    def look() -> Response:
        """The login of those who may look behind cards."""
        reader = reader_of(known)
        if reader is None:
            return ask_who("")
        if json_wanted():
            return as_json({"reader": reader.name})
        return make_response(render_template("why_login.html", reader=reader.name, card="", words=""))

    @pages.post(LOGIN_PATH)
    def enter() -> AnyResponse:
        """Log in, with a form of name, password and, if one was asked for, card."""
        request.max_content_length = _LARGEST
        card = request.form.get("card", "")
        if not _is_ours():
            return ask_who(card, _FOREIGN)
        made = _begun(known, card)
        if not isinstance(made, str):
            return made
        to = url_for("why.card", card=card) if is_card(card) else url_for("login.look")
        return with_cookie(redirect(to, 303), made, known.seconds)

    @pages.post(LOGOUT_PATH)
    def leave() -> AnyResponse:
        """Log out."""
        answer = redirect(url_for("login.look"), 303)
        return with_cookie(answer, "", 0) if _is_ours() else answer

    return pages


def _begun(known: Login, card: str) -> str | Response:
    """The cookie of a new login, or the form again with the reason why there is none."""
    name = request.form.get("name", "").strip().lower()
    try:
        made = known.begin(name, request.form.get("password", ""))
    except TooOften as error:
        answer = ask_who(card, f"Too many tries. Please wait {error.retry_after} s, then try again.", 429)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    except StoreError:
        return ask_who(card, "The key that logins need is not at hand at the moment. Please try again.", 503)
    return ask_who(card, WRONG, name=name) if made is None else made


def reader_of(known: Login | None) -> Reader | None:
    """Who has logged in and asks now."""
    return known.who(request.cookies.get(COOKIE, "")) if known is not None else None


def ask_who(card: str, words: str = "", status: int = 401, name: str = "") -> Response:
    """The form. `words`: why it is shown again; `name`: what was typed, so that only the password is typed again."""
    if json_wanted():
        answer = as_json({"error": words or f"log in at {LOGIN_PATH}, and send the cookie along"}, status)
    else:
        shown = card if is_card(card) else ""
        told = {"reader": "", "card": shown, "words": words, "name": name if is_name(name) else ""}
        answer = make_response(render_template("why_login.html", **told), status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Form realm="why this card"'
    return answer


def _is_ours() -> bool:
    """Whether a page of ours sent this form, or no page at all."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
    if site is not None:
        return site in _HERE
    return origin == "null" or _host_of(origin) == _host_of(f"//{request.host}")


def _host_of(address: str) -> str | None:
    """Without its port, which a proxy may leave out."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return ""
