// Shows one message of the page's own about a request, out of the page's templates.

export const place = document.getElementById("trouble");
export const clearNotice = () => place.querySelectorAll(":scope > .message").forEach((message) => message.remove());

// Whether the answer is "go and sign in".
export function leadsToSignIn(xhr) {
  const signIn = document.getElementById("trouble-session").content.querySelector("a").getAttribute("href");
  return Boolean(xhr.getResponseHeader("HX-Redirect")?.startsWith(signIn));
}

export function showNotice(kind) {
  clearNotice();
  place.append(document.getElementById(`trouble-${kind}`).content.cloneNode(true));
}
