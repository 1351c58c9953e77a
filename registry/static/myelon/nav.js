// The frame's behaviour: menu at 640 px, row links, dialogs, toasts, copy buttons,
// disclosure of panels, and the outline's mark for the section in view.

const TOAST_MILLISECONDS = 9000;

function toggleRail(button) {
  const rail = document.getElementById("rail");
  const open = rail.classList.toggle("is-open");
  button.setAttribute("aria-expanded", String(open));
  if (open) rail.querySelector("a, button")?.focus();
}

function closeRail() {
  const button = document.querySelector("[data-rail-toggle][aria-expanded='true']");
  if (!button) return;
  toggleRail(button);
  button.focus();
}

function togglePanel(button) {
  const panel = document.getElementById(button.dataset.toggles);
  const hidden = panel.toggleAttribute("data-hidden-by-script");
  button.setAttribute("aria-expanded", String(!hidden));
  if (!hidden) panel.querySelector("input, select")?.focus();
}

async function copyText(button) {
  const label = button.querySelector("[data-copy-label]");
  await navigator.clipboard.writeText(button.dataset.copy);
  const before = label.textContent;
  label.textContent = label.dataset.copied;
  window.setTimeout(() => { label.textContent = before; }, 2000);
}

function followRow(event) {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a, button, input, select, label, summary")) return;
  if (window.getSelection()?.toString()) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else window.location.assign(row.dataset.href);
}

function onClick(event) {
  const target = event.target;
  const on = (selector) => target.closest?.(selector);
  if (on("[data-rail-toggle]")) return toggleRail(on("[data-rail-toggle]"));
  if (on("[data-toggles]")) return togglePanel(on("[data-toggles]"));
  if (on("[data-copy]")) return copyText(on("[data-copy]"));
  if (on("[data-dismiss]")) return on("[data-dismiss]").parentElement.remove();
  if (on("[data-open-dialog]")) return openDialog(on("[data-open-dialog]"));
  if (on("[data-close-dialog]")) return on("dialog").close();
  return followRow(event);
}

function openDialog(button) {
  const dialog = document.getElementById(button.dataset.openDialog);
  dialog.showModal();
  dialog.querySelector("textarea, input:not([type=hidden]), button")?.focus();
}

function closeOpenDetails(except) {
  for (const details of document.querySelectorAll("details[data-closes-outside][open]")) {
    if (!details.contains(except)) details.open = false;
  }
}

function fadeLater(toast) {
  const calm = toast.matches(".toast-note--success, .toast-note--info");
  if (!calm) return;
  const timer = window.setTimeout(() => toast.remove(), TOAST_MILLISECONDS);
  for (const stay of ["pointerenter", "focusin"]) {
    toast.addEventListener(stay, () => window.clearTimeout(timer), { once: true });
  }
}

function showToast({ text, tone = "success" }) {
  const shelf = document.querySelector("[data-toasts]");
  if (!shelf) return;
  const toast = document.createElement("div");
  toast.className = `toast-note toast-note--${tone}`;
  const line = document.createElement("p");
  line.textContent = text;
  toast.append(line);
  shelf.append(toast);
  fadeLater(toast);
}

function followOutline() {
  const links = new Map();
  for (const link of document.querySelectorAll("[data-outline] a[href^='#']")) {
    const section = document.getElementById(link.hash.slice(1));
    if (section) links.set(section, link);
  }
  const observer = new IntersectionObserver((entries) => {
    const seen = entries.filter((entry) => entry.isIntersecting);
    if (!seen.length) return;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(seen[0].target).setAttribute("aria-current", "location");
  }, { rootMargin: "0px 0px -65% 0px" });
  for (const section of links.keys()) observer.observe(section);
}

function labelCards(root) {
  for (const table of root.querySelectorAll("table.cards-narrow")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, index) => { cell.dataset.label ??= heads[index] ?? ""; });
    }
  }
}

document.addEventListener("click", (event) => { closeOpenDetails(event.target); onClick(event); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  closeOpenDetails(null);
  closeRail();
});
document.addEventListener("myelon:toast", (event) => showToast(event.detail));
document.addEventListener("htmx:load", (event) => labelCards(event.target.parentElement ?? document));
document.querySelectorAll(".toast-note").forEach(fadeLater);
labelCards(document);
followOutline();
