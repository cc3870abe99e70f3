// The controls that change the patient. They are built once; `sync` sets them to what the patient is.

import { fill, make } from "./elements.js";
import * as chart from "./patient.js";

const FIRST = ["qtc", "potassium", "magnesium"];
const FITNESS = ["ecog_ps"];
const find = (id) => document.getElementById(id);

/** Build the controls. `patient()`: whom they change; `changed(words)`: called after each change. */
export function build({ controls }, patient, changed) {
  const row = (control) => valueRow(control, patient, changed);
  const rows = new Map(controls.values.map((control) => [control.key, row(control)]));
  fill(find("first-values"), FIRST.map((key) => rows.get(key).element));
  fill(find("fitness"), FITNESS.map((key) => rows.get(key).element));
  const rest = [...rows.keys()].filter((key) => !FIRST.includes(key) && !FITNESS.includes(key));
  fill(find("further-values"), rest.map((key) => rows.get(key).element));
  const markers = controls.markers.map((marker) => markerRow(marker, controls, patient, changed));
  fill(find("markers"), markers.map(({ element }) => element));
  adding(controls, patient, changed);
  find("age").addEventListener("change", () => {
    if (find("age").value === "" || !chart.person(patient())) return sync();
    chart.setAge(patient(), Number(find("age").value));
    changed(`Age ${find("age").value}`);
  });
  find("today").addEventListener("change", () => {
    if (!find("today").value) return sync();
    patient().now = find("today").value + patient().now.slice(10);
    changed(`Answered as of ${find("today").value}`);
  });
  return sync;

  function sync() {
    for (const each of [...rows.values(), ...markers]) each.sync();
    drugList(patient, changed);
    const years = chart.age(patient());
    find("age").value = years ?? "";
    find("age").disabled = !chart.person(patient());
    find("today").value = patient().now.slice(0, 10);
    if (!find("new-since").value) find("new-since").value = find("today").value;
    const further = chart.furtherGenomics(patient(), controls.markers);
    find("other-genomics").textContent = further ? `Other genomic results on file, kept as they are: ${further}` : "";
  }
}

function valueRow(control, patient, changed) {
  const id = `value-${control.key}`;
  const number = make("input", { id, type: "number", step: "any", min: 0, inputmode: "decimal" });
  const unit = make("span", { class: "unit small" });
  const date = make("input", { id: `${id}-date`, type: "date", "aria-label": `${control.label}: date` });
  const none = make("button", { type: "button", class: "small", "aria-label": `${control.label}: take from the record`, title: "take from the record" }, "×");
  const note = make("span", { class: "note small quiet" });
  const forget = () => {
    chart.forget(patient(), control);
    changed(`${control.label}: none on file`);
  };
  const set = () => {
    if (number.validity.badInput) return sync(); // no number: what is on file stands there again
    if (number.value === "") return none.disabled || forget(); // what stands here is what was asked about
    chart.setMeasured(patient(), control, Number(number.value), date.value || patient().now.slice(0, 10));
    changed(`${control.label} ${number.value} ${unit.textContent}`.trim());
  };
  number.addEventListener("change", set);
  date.addEventListener("change", set);
  none.addEventListener("click", forget);
  const element = make("div", { class: "value" }, make("label", { for: id }, control.label),
    make("span", { class: "with-unit" }, number, " ", unit), date, none, note);
  return { element, sync };

  function sync() {
    const found = chart.measured(patient(), control);
    number.value = found?.value ?? "";
    unit.textContent = found ? found.unit || control.unit : control.unit;
    date.value = found?.date ?? "";
    none.disabled = found === null;
    const earlier = found && found.number > 1 ? `newest of ${found.number}` : "";
    note.textContent = found === null ? "none on file" : [found.text, earlier].filter(Boolean).join("; ");
  }
}

function markerRow(marker, { presence, answers }, patient, changed) {
  const id = `marker-${marker.name}`;
  const other = make("option", { value: "other", hidden: true }, "as on file");
  const state = make("select", { id }, make("option", { value: "" }, "not tested"),
    make("option", { value: "present" }, "present"), make("option", { value: "absent" }, "absent"), other);
  const date = make("input", { id: `${id}-date`, type: "date", "aria-label": `${marker.name}: specimen date` });
  const set = () => {
    if (state.value === "other") return;
    chart.setTested(patient(), marker, state.value, date.value || patient().now.slice(0, 10), answers);
    changed(`${marker.name} ${state.value || "not tested"}`);
  };
  state.addEventListener("change", set);
  date.addEventListener("change", () => state.value && set());
  return {
    element: make("div", { class: "value marker" }, make("label", { for: id }, marker.name), state, date),
    sync() {
      const found = chart.tested(patient(), marker, presence);
      other.hidden = found.state !== "other";
      state.value = found.state;
      date.value = found.date;
      date.disabled = found.state === "other";
    },
  };
}

const TESTS = ["ServiceRequest", "DeviceRequest", "Task"]; // ECGs, laboratory tests: orders that are no drugs

function drugList(patient, changed) {
  const chosen = chart.chosen(patient());
  const listed = chart.orders(patient()).map((each, index) => [each, drug(each, index, chosen, patient, changed)]);
  const [drugs, tests] = [false, true].map((isTest) => listed.filter(([each]) => isTest === TESTS.includes(each.resource?.resourceType)));
  const list = (rows) => make("ul", { class: "orders" }, rows.map(([, row]) => row));
  fill(find("drugs"), drugs.length ? list(drugs) : make("p", { class: "small quiet" }, "No order on file."));
  fill(find("tests"), tests.length ? list(tests) : "");
  find("tests-ordered").hidden = !tests.length;
}

function drug({ resource, name, dose, quantity, role, key }, index, chosen, patient, changed) {
  const id = `order-${index}`;
  const isDraft = key === "";
  const amount = quantity?.value !== undefined
    ? make("input", { id: `${id}-dose`, type: "number", min: 0, step: "any", value: quantity.value, "aria-label": `One dose of ${name}` })
    : "";
  if (amount) amount.addEventListener("change", () => {
    if (amount.value === "") {
      amount.value = quantity.value;
      return;
    }
    chart.setDose(resource, Number(amount.value));
    changed(`${name} ${amount.value} ${quantity.unit ?? ""}`);
  });
  const take = make("button", { type: "button", class: "small", id: `${id}-remove`, "aria-label": `Remove ${name}` }, "remove");
  take.addEventListener("click", () => {
    chart.drop(patient(), key, resource);
    changed(`Removed ${name}`);
  });
  const pick = isDraft && resource?.resourceType === "MedicationRequest"
    ? make("label", { class: "pick small" }, pickBox(resource, chosen, patient, changed), " chosen") : "";
  return make("li", {}, make("span", { class: `tag ${isDraft ? "info" : ""}` }, role || "no status"), " ",
    make("strong", {}, name), " ", make("span", { class: "small quiet" }, dose),
    make("span", { class: "row" }, amount ? make("span", { class: "with-unit" }, amount, " ", make("span", { class: "unit small" }, quantity.unit ?? quantity.code ?? "")) : "", pick, take));
}

function pickBox(resource, chosen, patient, changed) {
  const mine = chart.reference(resource);
  const box = make("input", { type: "checkbox" });
  box.checked = chosen.includes(mine);
  box.addEventListener("change", () => {
    const others = chosen.filter((each) => each !== mine);
    patient().selections = box.checked ? [...others, mine] : others;
    changed("");
  });
  return box;
}

function adding({ drugs }, patient, changed) {
  const known = new Map(drugs.map((each) => [each.name.toLowerCase(), each]));
  fill(find("known-drugs"), drugs.map((each) => make("option", { value: each.name }, each.what)));
  const name = find("new-name");
  name.addEventListener("input", () => {
    const found = known.get(name.value.trim().toLowerCase());
    find("new-what").textContent = found ? found.what : name.value.trim() ? "not in our list: sent as words, without a code" : "";
  });
  find("new-role").addEventListener("change", () =>
    find("new-drug").classList.toggle("active", find("new-role").value === "active"));
  find("new-drug").addEventListener("submit", (event) => {
    event.preventDefault();
    const found = known.get(name.value.trim().toLowerCase());
    chart.order(patient(), {
      name: found?.name ?? name.value.trim(), code: found?.code ?? "", dose: Number(find("new-dose").value) || 0,
      often: Number(find("new-often").value), route: find("new-route").value, role: find("new-role").value,
      since: (find("new-role").value === "active" && find("new-since").value) || patient().now.slice(0, 10),
    });
    const said = `Added ${found?.name ?? name.value.trim()}`;
    name.value = "";
    find("new-dose").value = "";
    find("new-what").textContent = "";
    changed(said);
  });
}
