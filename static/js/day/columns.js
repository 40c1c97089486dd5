// Scrolls by as many doctors as are wholly in sight, where there are more than fit.

document.addEventListener("click", ({ target }) => {
  const button = target.closest("#columns-previous, #columns-next");
  const scroll = button && document.getElementById("scroll");
  if (!scroll) return;
  const column = scroll.querySelector(".doctor").offsetWidth;
  const inSight = Math.max(Math.floor((scroll.clientWidth - button.parentElement.offsetWidth) / column), 1);
  scroll.scrollBy({ left: (button.id === "columns-next" ? 1 : -1) * inSight * column });
});
