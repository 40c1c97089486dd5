// Prints the page that stands as it will on paper.

document.addEventListener("click", ({ target }) => {
  if (target.closest("button#print")) print();
});
