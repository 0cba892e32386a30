// Select2 calls its fields by what is chosen in them; here they get the names of their labels, whenever they appear.
function nameFields(within) {
  for (const shown of within.querySelectorAll(".select2-selection")) {
    const select = shown.closest(".select2-container")?.previousElementSibling;
    const name = select?.getAttribute("aria-label") ?? select?.labels?.[0]?.textContent.trim();
    if (!name) continue;
    for (const part of [shown, ...shown.querySelectorAll("[role=textbox]")]) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", name);
    }
  }
}

new MutationObserver((changes) => {
  for (const {addedNodes} of changes)
    for (const node of addedNodes)
      if (node.parentElement) nameFields(node.parentElement);
}).observe(document.documentElement, {childList: true, subtree: true});

// Tabs that find no room go behind a button, for which the theme makes none before the window changes once more.
addEventListener("load", () => setTimeout(() => dispatchEvent(new Event("resize"))));

// Pages are written in the zone of whoever looks; the first one comes before it is known.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;

document.addEventListener("click", ({target}) => {
  if (target.closest("[data-print]")) window.print();
});
