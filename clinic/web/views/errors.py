"""The pages of refusal say what to do next; into a panel goes only the sentence."""

from clinic.web.htmx import partial_or_page


def permission_denied(request, exception):
    return partial_or_page(request, "403.html", "sentence", {"reason": str(exception)}, status=403)


def page_not_found(request, exception):
    return partial_or_page(request, "404.html", "sentence", status=404)
