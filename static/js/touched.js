// Whether a field holds something else than the page came with.

export const isTouched = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
      : field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
