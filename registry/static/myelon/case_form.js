// What follows from another answer in the form of a tumour is filled in, visibly.
//   Histology gives the ICD-O morphology; three diameters give the ellipsoid volume once
//   that method is chosen. What a person typed themselves is never replaced.

const suggested = new WeakMap();

function suggest(input, value) {
  if (!input || !value) return;
  if (input.value !== "" && input.value !== suggested.get(input)) return;
  suggested.set(input, value);
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function followHistology(select) {
  const codes = JSON.parse(select.dataset.morphology);
  const morphology = select.form.elements.namedItem("icdo_morphology");
  if (morphology.value && morphology.value === codes[select.value]) suggested.set(morphology, morphology.value);
  select.addEventListener("change", () => suggest(morphology, codes[select.value]));
}

function followDiameters(form) {
  const named = (name) => form.elements.namedItem(name);
  const sizes = ["size_cc_mm", "size_ap_mm", "size_tr_mm"].map(named);
  const method = named("volume_method");
  form.addEventListener("change", () => {
    const numbers = sizes.map((input) => Number(input.value || NaN));
    const chosen = [...form.elements].some((each) => each.name === "volume_method" && each.checked && each.value === "ellipsoid_pi6");
    if (!method || !chosen || !numbers.every((number) => number > 0)) return;
    const volume = (Math.PI / 6) * numbers.reduce((product, number) => product * number, 1) / 1000;
    suggest(named("volume_cm3"), volume.toFixed(2));
  });
}

for (const select of document.querySelectorAll("select[data-morphology]")) {
  followHistology(select);
  followDiameters(select.form);
}
