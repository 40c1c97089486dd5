"""A page's form as a browser would send it: for tests of what happens when two windows are open."""

from html.parser import HTMLParser

from django.urls import reverse

SENT_AS_TYPED = {"text", "hidden", "password", "number", "email"}


class _Controls(HTMLParser):
    def __init__(self, form_id):
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.fields = {}
        self.select = self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == self.form_id
        if not self.inside or "disabled" in attrs:
            return
        name, value = attrs.get("name"), attrs.get("value")
        if tag == "input" and name:
            kind = attrs.get("type", "text")
            if kind in SENT_AS_TYPED or (kind in {"checkbox", "radio"} and "checked" in attrs):
                self.fields.setdefault(name, []).append("on" if value is None and kind == "checkbox" else value or "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in attrs:
            self.fields.setdefault(self.select, []).append(value)
        elif tag == "textarea":
            self.textarea = name
            self.fields[name] = [""]

    def handle_data(self, data):
        if self.textarea:
            self.fields[self.textarea][0] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            self.fields[self.textarea][0] = self.fields[self.textarea][0].removeprefix("\n").removeprefix("\r\n")
            self.textarea = None
        elif tag == "select":
            self.select = None


class Window:
    """A page that was opened at this moment, and its form of that id."""

    def __init__(self, client, address, form_id):
        self.client, self.address, self.form_id = client, address, form_id
        self._read(client.get(address))

    def _read(self, answer):
        controls = _Controls(self.form_id)
        controls.feed(answer.text)
        self.fields = controls.fields

    def save(self, **typed):
        """Post the form with these fields typed over; None takes a field away, as unchecking does. What comes back
        unsaved is what the window shows from then on."""
        fields = self.fields | {"_save": "1"} | typed
        sent = {name: value for name, value in fields.items() if value is not None}
        answer = self.client.post(self.address, sent)
        if answer.status_code != 302:
            self._read(answer)
        return answer


def url(model, what="change", *args):
    return reverse(f"admin:clinic_{model._meta.model_name}_{what}", args=args)


def opened(client, row):
    return Window(client, url(type(row), "change", row.pk), f"{row._meta.model_name}_form")


def field_errors(answer):
    return {name: " ".join(sentences) for name, sentences in answer.context["adminform"].form.errors.items()}
