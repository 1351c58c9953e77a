// Behaviour of forms. Everything works without it, only less kindly.
//   Enter in a text field moves on and never submits (data-enter-submits allows it).
//   A chosen chip is cleared by its "Clear" or by Backspace, never by another click.
//   "?" in an empty field opens the menu of reasons for a missing value, F1 the
//   definition; so neither costs a stop on the way with the Tab key.
//   data-score-card sums its data-score-item inputs; a total needs every answer.
//   A form is sent once (data-guard="off" switches that off).

import { followAnswer, showApplicable } from "./conditions.js";
import { readDate } from "./days.js";

const ready = new WeakSet();

/** Elements in or at the root that were not set up before. */
function fresh(root, selector) {
  const found = [...(root.parentElement ?? root).querySelectorAll(selector)].filter((each) => !ready.has(each));
  found.forEach((each) => ready.add(each));
  return found;
}

// Dates ---------------------------------------------------------------------------

function setUpDates(root) {
  for (const box of fresh(root, "[data-date-field]")) {
    const input = box.querySelector("input:not([data-date-native])");
    const native = box.querySelector("[data-date-native]");
    input.placeholder ||= "YYYY-MM-DD";
    input.autocomplete = "off";
    input.addEventListener("change", () => { input.value = readDate(input.value) ?? input.value; });
    box.querySelector("[data-date-open]").addEventListener("click", () => {
      native.value = /^\d{4}-\d\d-\d\d$/.test(readDate(input.value) ?? "") ? readDate(input.value) : "";
      native.showPicker();
    });
    native.addEventListener("change", () => {
      input.value = native.value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
  }
}

// Reasons for missing values ---------------------------------------------------------

function valueControls(field) {
  return [...field.querySelectorAll("input, select, textarea")]
    .filter((each) => !each.closest("[data-missing-menu]") && !each.matches("[data-date-native]"));
}

function isAnswered(control) {
  return ["radio", "checkbox"].includes(control.type) ? control.checked : control.value.trim() !== "";
}

function applyMissing(field, menu) {
  const missing = menu.value !== "";
  field.classList.toggle("is-missing", missing);
  if (!missing) return;
  for (const control of valueControls(field).filter(isAnswered)) {
    if ("checked" in control && ["radio", "checkbox"].includes(control.type)) control.checked = false;
    else control.value = "";
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function dropReasonWhenAnswered(field, menu) {
  if (!menu.value || !valueControls(field).some(isAnswered)) return;
  menu.value = "";
  field.classList.remove("is-missing");
}

function openMissingMenu(event) {
  if (event.key !== "?" || event.target.closest("[data-missing-menu]")) return;
  const menu = event.target.closest(".field:has([data-missing-menu])")?.querySelector("[data-missing-menu] select");
  const typing = event.target.matches?.("textarea, input:not([type=radio], [type=checkbox])") && event.target.value !== "";
  if (!menu || typing) return;
  event.preventDefault();
  menu.focus();
  try { menu.showPicker(); } catch { /* the browser opens it on the next key */ }
}

function openDefinition(event) {
  if (event.key !== "F1") return;
  const details = event.target.closest?.(".field")?.querySelector("details.definition-toggle");
  if (!details) return;
  event.preventDefault();
  details.open = !details.open;
}

function setUpMissing(root) {
  for (const menu of fresh(root, "[data-missing-menu] select")) {
    const field = menu.closest(".field");
    menu.addEventListener("change", () => applyMissing(field, menu));
    field.addEventListener("input", (event) => { if (event.target !== menu) dropReasonWhenAnswered(field, menu); });
    field.classList.toggle("is-missing", menu.value !== "");
    menu.tabIndex = -1;
  }
}

// Scores ---------------------------------------------------------------------------

function itemScore(item) {
  const answered = valueControls(item).filter(isAnswered);
  const score = answered.length ? Number(answered[0].value.replace(",", ".")) : NaN;
  return Number.isFinite(score) ? score : null;
}

function sumScore(card) {
  const scores = [...card.querySelectorAll("[data-score-item]")].map(itemScore);
  const known = scores.filter((score) => score !== null);
  const whole = known.length === scores.length && scores.length > 0;
  card.querySelector("[data-score-total]").textContent = whole
    ? String(known.reduce((sum, score) => sum + score, 0)) : "–";
  card.querySelector("[data-score-note]").textContent = card.dataset.answeredText
    .replace("{n}", known.length).replace("{m}", scores.length);
}

function setUpScores(root) {
  for (const card of fresh(root, "[data-score-card]")) {
    for (const kind of ["input", "change"]) card.addEventListener(kind, () => sumScore(card));
    sumScore(card);
  }
}

// Sending ---------------------------------------------------------------------------

function keepEnterFromSubmitting(event) {
  if (event.key !== "Enter" || event.isComposing) return;
  const input = event.target;
  if (!input.matches?.("input:not([type=submit], [type=button], [type=reset])")) return;
  if (input.closest("[data-enter-submits]") || !input.form) return;
  if (input.form.matches(".entrance-card form, [method=get]")) return;
  event.preventDefault();
  const stops = [...input.form.elements].filter((each) => each.tabIndex >= 0 && !each.disabled
    && each.type !== "hidden" && each.tagName !== "FIELDSET" && each.offsetParent
    && !(each.type === "radio" && each.name === input.name && each !== input));
  stops[stops.indexOf(input) + 1]?.focus();
}

function guardAgainstDoubleSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.dataset.guard === "off" || form.method === "get") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-busy", "true");
}

function allowSendingAgain() {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
}

// Chips ------------------------------------------------------------------------------

function showClear(group) {
  const clear = group.querySelector("[data-clear-chips]");
  if (clear) clear.hidden = !group.querySelector("input:checked");
}

function clearChips(group) {
  const chosen = group.querySelector("input[type=radio]:checked");
  if (!chosen || !group.querySelector("[data-clear-chips]")) return;
  chosen.checked = false;
  for (const kind of ["input", "change"]) chosen.dispatchEvent(new Event(kind, { bubbles: true }));
}

function setUpChips(root) {
  for (const group of fresh(root, ".chips:has([data-clear-chips])")) {
    group.addEventListener("input", () => showClear(group));
    group.addEventListener("keydown", (event) => { if (["Backspace", "Delete"].includes(event.key)) clearChips(group); });
    group.querySelector("[data-clear-chips]").addEventListener("click", () => {
      const chosen = group.querySelector("input:checked");
      clearChips(group);
      chosen?.focus();
    });
    showClear(group);
  }
}

function describeUnits(root) {
  for (const unit of root.querySelectorAll(".field-unit[id]")) {
    const input = unit.parentElement.querySelector("input");
    const hint = input?.closest(".field").querySelector(".field-hint[id]");
    const ids = new Set((input?.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
    for (const part of [hint, unit]) if (part) ids.add(part.id);
    input?.setAttribute("aria-describedby", [...ids].join(" "));
    if (input?.type === "text") input.inputMode ||= "decimal";
  }
}

function setUp(root) {
  setUpDates(root);
  setUpMissing(root);
  setUpScores(root);
  setUpChips(root);
  root.querySelectorAll(".definition-toggle > summary").forEach((summary) => { summary.tabIndex = -1; });
  describeUnits(root);
  fresh(root, "form").forEach(showApplicable);
}

document.addEventListener("keydown", (event) => {
  keepEnterFromSubmitting(event);
  openMissingMenu(event);
  openDefinition(event);
});
document.addEventListener("submit", guardAgainstDoubleSubmit);
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => followAnswer(event.target));
}
document.addEventListener("change", (event) => {
  if (event.target.form?.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});
document.addEventListener("htmx:afterRequest", allowSendingAgain);
document.addEventListener("htmx:load", (event) => setUp(event.target));
window.addEventListener("pageshow", allowSendingAgain);
setUp(document);
document.querySelector("[data-error-summary]")?.focus();
