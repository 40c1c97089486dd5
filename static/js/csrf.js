// Sends the CSRF token of the cookie with every request: the page's own is old after signing in again in another tab.

export const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = cookie("csrftoken");
  if (!token) return;
  detail.headers["X-CSRFToken"] = token;
  if (detail.parameters.csrfmiddlewaretoken) detail.parameters.csrfmiddlewaretoken = token;
});

document.addEventListener("submit", ({ target }) => {
  const token = cookie("csrftoken");
  const field = target.elements?.csrfmiddlewaretoken;
  if (token && field) field.value = token;
}, true);
