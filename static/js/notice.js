// Shows one message of the page's own about a request, out of the page's templates.

export const place = document.getElementById("trouble");
export const clearNotice = () => place.querySelectorAll(":scope > .message").forEach((message) => message.remove());

export function showNotice(kind) {
  clearNotice();
  place.append(document.getElementById(`trouble-${kind}`).content.cloneNode(true));
}
