// A page that comes back with a refused form begins at the first field that is refused.

if (!document.querySelector("[autofocus]")) {
  document.querySelector("main [aria-invalid=true], #content-main [aria-invalid=true]")?.focus();
}
