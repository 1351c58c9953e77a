// Parts of a form that apply only after another answer: data-show-if="field=value[,value]".
//   A part is shown while its rule holds, and also while it holds an answer that no other
//   answer rules out: what is stored is never hidden, and never sent empty unseen.
//   Where a person's answer rules a part out, what stood in it is taken out, named on
//   the page, and comes back with the earlier answer. Nothing else is ever emptied.

const taken = new WeakMap(); // part to what was taken out: [[control, state]]
const words = document.getElementById("words")?.dataset ?? {};

function ruleOf(part) {
  const [name, wanted] = part.dataset.showIf.split("=");
  return { name: name.trim(), wanted: wanted.split(",").map((value) => value.trim()) };
}

function valuesOf(form, name) {
  const chosen = [...form.elements].filter((each) => each.name === name && !each.disabled && each.type !== "hidden");
  return chosen.filter((each) => !["radio", "checkbox"].includes(each.type) || each.checked)
    .map((each) => (each.type === "checkbox" && each.value === "on" ? "true" : each.value)).filter(Boolean);
}

function holds(form, { name, wanted }) {
  return valuesOf(form, name).some((value) => wanted.includes(value));
}

/** A box not ticked says no; a question without an answer says nothing. */
function rulesOut(form, { name }) {
  const boxes = [...form.elements].some((each) => each.name === name && each.type === "checkbox");
  return boxes || valuesOf(form, name).length > 0;
}

function isChoice(control) {
  return ["radio", "checkbox"].includes(control.type);
}

function answersIn(part) {
  return [...part.querySelectorAll("input, select, textarea")]
    .filter((each) => each.name && each.type !== "hidden" && (isChoice(each) ? each.checked : each.value.trim() !== ""));
}

function labelOf(control) {
  return control.closest(".field")?.querySelector(".field-label, label")?.textContent.trim() ?? control.name;
}

function shownValue(control) {
  if (isChoice(control)) return control.labels[0]?.textContent.trim() ?? control.value;
  return control.selectedOptions?.[0]?.textContent.trim() ?? control.value.trim();
}

function told(controls) {
  const lines = new Map();
  for (const control of controls) {
    const label = labelOf(control);
    lines.set(label, [...(lines.get(label) ?? []), shownValue(control)]);
  }
  return [...lines].map(([label, values]) => `${label} (${values.join(", ")})`).join("; ");
}

function changed(control) {
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

function takeOut(part, controls) {
  const note = document.createElement("p");
  note.className = "taken-note";
  note.setAttribute("role", "status");
  note.textContent = words.removes.replace("{answers}", told(controls));
  part.before(note);
  const before = controls.map((each) => [each, isChoice(each) ? true : each.value]);
  taken.set(part, { note, before });
  for (const each of controls) { if (isChoice(each)) each.checked = false; else each.value = ""; }
  controls.forEach(changed);
}

function giveBack(part) {
  if (!taken.has(part)) return;
  const { note, before } = taken.get(part);
  taken.delete(part);
  note.remove();
  for (const [each, state] of before) { if (isChoice(each)) each.checked = state; else each.value = state; }
  before.forEach(([each]) => changed(each));
}

function follow(form, part) {
  const rule = ruleOf(part);
  if (holds(form, rule)) { part.hidden = false; giveBack(part); return; }
  const answers = answersIn(part);
  if (answers.length && rulesOut(form, rule)) { part.hidden = true; takeOut(part, answers); return; }
  part.hidden = answers.length === 0;
}

/** Show what applies when a form is opened; nothing that it holds is touched. */
export function showApplicable(form) {
  for (const part of form.querySelectorAll("[data-show-if]")) {
    part.hidden = !holds(form, ruleOf(part)) && answersIn(part).length === 0;
  }
}

/** Follow an answer that was given just now. */
export function followAnswer(control) {
  if (!control.form) return;
  for (const part of control.form.querySelectorAll("[data-show-if]")) {
    if (ruleOf(part).name === control.name) follow(control.form, part);
  }
}
