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

// The theme's icons are words of a font, which would be read out in front of what they stand for, or in its place.
function hushIcons(within) {
  for (const icon of within.querySelectorAll(".material-symbols-outlined:not([aria-hidden], [role=button])")) {
    const link = icon.closest("a[title], button[title]");
    if (link && link.innerText.trim() === icon.innerText.trim()) link.setAttribute("aria-label", link.title);
    if (link || icon.parentElement.textContent.trim() !== icon.textContent.trim()) icon.setAttribute("aria-hidden", "true");
  }
}

// Some of what the theme lets a mouse press is no button: a keyboard presses it as well.
const PRESSED = "[x-on\\:click]:not(a[href], button, input, select, textarea, summary, [tabindex], #changelist-filter-close)";
const NAMES = {close: "Close", visibility: "Show it", visibility_off: "Hide it"};

function makeButtons(within) {
  for (const part of within.querySelectorAll(PRESSED)) {
    part.tabIndex = 0;
    part.setAttribute("role", "button");
    const icon = part.matches(".material-symbols-outlined") ? part : part.querySelector(".material-symbols-outlined");
    const word = icon?.textContent.trim();
    if (word && word === part.textContent.trim()) part.setAttribute("aria-label", part.title || (NAMES[word] ?? "More"));
  }
}

document.addEventListener("keydown", (event) => {
  if (!["Enter", " "].includes(event.key) || !event.target.matches("[x-on\\:click][role=button]")) return;
  event.preventDefault();
  event.target.click();
});

// The theme's page has no main part, and its side bar no name.
function nameParts() {
  document.getElementById("main")?.setAttribute("role", "main");
  document.getElementById("nav-sidebar-inner")?.setAttribute("aria-label", "Side bar");
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
addEventListener("DOMContentLoaded", () => {
  makeButtons(document.body);
  hushIcons(document.body);
  nameParts();
});
if (zone) document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;

document.addEventListener("click", ({target}) => {
  if (target.closest("[data-print]")) window.print();
});

// What was sent is not sent again before its answer has come, or has come as a file, which leaves the page as it is.
const SENDING_SECONDS = 10;
const sending = document.documentElement.dataset;
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if ("isSending" in sending) event.preventDefault();
  else {
    // Who logged in anew in another tab has another token, and the page's own would be refused.
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
    const own = event.target.elements.namedItem("csrfmiddlewaretoken");
    if (token && own) own.value = token;
    sending.isSending = "";
    setTimeout(() => delete sending.isSending, SENDING_SECONDS * 1000);
  }
});
addEventListener("pageshow", () => delete sending.isSending);

// What is wrong gets the focus. What was said is announced once the page is there, because only a change is announced.
addEventListener("load", () => {
  document.querySelector("#problems, #main [aria-invalid=true]")?.focus();
  const messages = document.getElementById("messages");
  if (messages?.innerText.trim()) messages.replaceChildren(...messages.childNodes);
});

// A part that fetches itself anew keeps the focus and what was opened in it, and announces a new state and no number.
const PARTS = "a, button, input, summary, [tabindex]";
const nameOf = (part) => [part.tagName, part.getAttribute("href"), part.ariaLabel, part.textContent.trim()].join();
let before = null;

document.addEventListener("htmx:beforeSwap", ({detail: {target}}) => {
  const focused = target.contains(document.activeElement) ? nameOf(document.activeElement) : "";
  const opened = [...target.querySelectorAll("details")].map((details) => details.open);
  before = {id: target.id, focused, opened, said: target.dataset.said};
});

document.addEventListener("htmx:afterSettle", () => {
  const part = before?.id && document.getElementById(before.id);
  if (!part) return;
  const {focused, opened, said} = before;
  before = null;
  part.querySelectorAll("details").forEach((details, number) => (details.open = opened[number] ?? details.open));
  if (focused && !part.contains(document.activeElement)) {
    const same = [...part.querySelectorAll(PARTS)].find((each) => nameOf(each) === focused) ?? part;
    same.focus({preventScroll: true});
  }
  if (part.dataset.said !== said) document.getElementById("said").textContent = part.dataset.said ?? "";
});
