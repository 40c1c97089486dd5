"""Every colour of static/css/tokens.css has the contrast that WCAG 2.2 AA asks for, counted in the browser."""

import re

import pytest
from django.conf import settings

from clinic.models.appointment import Status

TEXT, PARTS = 4.5, 3  # text; icons, edges and lines
INKS, GROUNDS = ("ink", "dim", "accent", "danger", "good", "warn"), ("ground", "face")
PAIRS = [
    *((ink, ground, TEXT) for ink in INKS for ground in GROUNDS),
    ("on-accent", "accent", TEXT),
    ("on-danger", "danger", TEXT),
    ("edge", "face", PARTS),
    ("now", "face", PARTS),
]
# Of a card, a button or a word in the colour of a status: its text, its lesser text, its icon.
ON_TINT = [("ink", TEXT), ("dim-on-tint", TEXT), ("status-ink", PARTS)]
DECORATION = {"line"}  # it parts what is told apart without it
CONTRAST = """([names, kind]) => {
  const element = document.createElement("i");
  element.className = kind;
  document.body.append(element);
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const luminance = (name) => {
    element.style.color = `var(--${name})`;
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = getComputedStyle(element).color;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [lighter, darker] = names.map(luminance).sort((one, other) => other - one);
  element.remove();
  return (lighter + 0.05) / (darker + 0.05);
}"""


@pytest.fixture(params=["light", "dark"])
def page(window, receptionist, request):
    page = window(receptionist, scheme=request.param)
    page.goto("/agenda/")
    return page


def test_every_token_has_its_contrast(page):
    low = {}
    for ink, ground, least in PAIRS:
        ratio = page.evaluate(CONTRAST, [[ink, ground], ""])
        if ratio < least:
            low[f"{ink} on {ground}"] = round(ratio, 2)
    assert low == {}


@pytest.mark.parametrize("more", ["", " attention"], ids=["calm", "attention"])
def test_every_status_has_its_contrast(page, more):
    low = {}
    for status in Status.values:
        for ink, least in ON_TINT:
            ratio = page.evaluate(CONTRAST, [[ink, "tint"], f"status-{status}{more}"])
            if ratio < least:
                low[f"{ink} on {status}"] = round(ratio, 2)
    assert low == {}


def test_no_token_is_left_out():
    tokens = (settings.ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    colours = set(re.findall(r"--([\w-]+): (?:light-dark\(|#)", tokens)) - set(Status.values) - DECORATION
    assert colours == {name for ink, ground, _least in PAIRS for name in (ink, ground)} | {"dim-on-tint"}
