// Keeps a form on the page, with its text, that is sent after all cookies are gone: the server would not know whose it is.

import { cookie } from "./csrf.js";
import { place, showNotice } from "./notice.js";

document.addEventListener("submit", (event) => {
  const isSent = event.target.getAttribute("method")?.toLowerCase() === "post";
  if (!isSent || !("signedIn" in place.dataset) || cookie("csrftoken")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  showNotice("session");
  place.scrollIntoView({ block: "nearest" });
}, true);
