// The patient of the playground: what an EHR would send of them, as one changes it. Lives in the browser only.
//
// {title, shows, story, now, patientId, userId, encounterId, fhirServer, prefetch, drafts, selections}: `prefetch` holds
// resources and Bundles under the keys of the services, `drafts` the orders that are not signed.

import { uuid } from "./elements.js";

const LOINC = "http://loinc.org";
const RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm";
const UCUM = "http://unitsofmeasure.org";
const OBSERVATION_STATUS = "final";

/** The patient of a hook request. Raises an Error in words. */
export function fromRequest(request, about = {}) {
  const context = request?.context ?? {};
  if (typeof context.patientId !== "string") throw new Error("This is no hook request: it has no context.patientId.");
  return {
    title: "", shows: "", story: "", now: "", ...about,
    patientId: context.patientId,
    userId: context.userId ?? "Practitioner/playground",
    encounterId: context.encounterId,
    fhirServer: typeof request.fhirServer === "string" ? request.fhirServer : undefined, // its token is not taken along
    prefetch: clone(request.prefetch ?? {}),
    drafts: listed(context.draftOrders?.entry).map((entry) => clone(entry)),
    selections: [...listed(context.selections)],
  };
}

/** The patient of a Bundle, sorted into the queries as an EHR would answer them. Raises an Error in words. */
export function fromBundle(bundle, queries, about = {}) {
  const resources = listed(bundle.entry).map((entry) => entry?.resource).filter((each) => each?.resourceType);
  const person = resources.find((each) => each.resourceType === "Patient" && each.id);
  if (!person) throw new Error("The Bundle holds no Patient with an id.");
  const patient = fromRequest({ context: { patientId: person.id } }, about);
  for (const { key, template } of queries) patient.prefetch[key] = key === "patient" ? clone(person) : searchset([]);
  const left = {};
  for (const resource of resources) {
    if (resource === person) continue;
    const keys = resource.resourceType === "Medication" ? ["medications"] : asking(queries, resource);
    if (resource.resourceType === "MedicationRequest" && resource.status === "draft") {
      patient.drafts.push({ resource: clone(resource) });
    } else if (keys.length) {
      for (const key of keys) entriesOf(patient, key).push({ resource: clone(resource), search: { mode: "match" } });
    } else {
      left[resource.resourceType] = (left[resource.resourceType] ?? 0) + 1;
    }
  }
  for (const { key } of queries) counted(patient, key);
  patient.left = Object.entries(left).map(([kind, number]) => `${number} ${kind}`).join(", ");
  return patient;
}

/** The hook request that an EHR would send of this patient. */
export function requestOf(patient, hook, instance) {
  const context = { userId: patient.userId, patientId: patient.patientId };
  if (patient.encounterId) context.encounterId = patient.encounterId;
  if (hook === "order-select") context.selections = chosen(patient);
  if (hook !== "patient-view") {
    context.draftOrders = { resourceType: "Bundle", type: "collection", entry: patient.drafts };
  }
  const request = { hook, hookInstance: instance };
  if (patient.fhirServer) request.fhirServer = patient.fhirServer;
  return { ...request, context, prefetch: patient.prefetch };
}

/** Which drafts are chosen: those that were, as far as they are still there, else the last one. */
export function chosen(patient) {
  const there = patient.drafts.map(({ resource }) => reference(resource));
  const kept = patient.selections.filter((each) => there.includes(each));
  const drugs = patient.drafts.filter(({ resource }) => resource?.resourceType === "MedicationRequest");
  return kept.length || !drugs.length ? kept : [reference(drugs.at(-1).resource)];
}

// --- Values -----------------------------------------------------------------------------------------------------------

/** The newest result under these codes: {resource, spot, value, unit, date, text, number}; null where there is none. */
export function measured(patient, control) {
  const found = results(patient, control.query, control.codes);
  if (!found.length) return null;
  const { resource, spot } = found[0];
  const quantity = spot.valueQuantity;
  const value = quantity?.value ?? spot.valueInteger;
  const text = spot.valueString ?? spot.valueCodeableConcept?.text ?? "";
  return { resource, spot, value, unit: quantity?.unit ?? quantity?.code ?? "", date: day(resource), text, number: found.length };
}

/** Set the newest result to this value and day; where there is none, one is made. */
export function setMeasured(patient, control, value, date) {
  const now = measured(patient, control);
  if (now === null) {
    const made = observation(patient, control.code, control.label, date);
    if (control.unit) made.valueQuantity = { value, unit: control.unit, system: UCUM, code: control.unit };
    else made.valueInteger = value;
    put(patient, control.query, made);
    return;
  }
  const { spot, resource } = now;
  if (spot.valueQuantity) {
    spot.valueQuantity.value = value;
    delete spot.valueQuantity.comparator;
  } else {
    for (const name of Object.keys(spot)) if (name.startsWith("value")) delete spot[name];
    if (control.unit) spot.valueQuantity = { value, unit: control.unit, system: UCUM, code: control.unit };
    else spot.valueInteger = value;
  }
  delete spot.dataAbsentReason;
  setDay(resource, date);
}

/** Take every result under these codes from the record. */
export function forget(patient, control) {
  for (const { resource, spot } of results(patient, control.query, control.codes)) {
    if (spot !== resource) {
      resource.component = resource.component.filter((each) => each !== spot);
      if (resource.component.length) continue;
    }
    remove(patient, control.query, resource);
  }
}

function results(patient, key, codes) {
  const found = [];
  for (const { resource } of entriesOf(patient, key, false)) {
    if (resource?.resourceType !== "Observation") continue;
    const spot = [resource, ...(resource.component ?? [])].find((each) => coded(each?.code, codes));
    if (spot) found.push({ resource, spot });
  }
  return found.sort((one, other) => when(other.resource).localeCompare(when(one.resource)));
}

// --- Mutations --------------------------------------------------------------------------------------------------------

/** {state: "present" | "absent" | "" (not tested) | "other", date} of a mutation, by its newest result. */
export function tested(patient, marker, presence) {
  const found = results(patient, "genomics", marker.codes);
  if (!found.length) return { state: "", date: "" };
  const { resource, spot } = found[0];
  const said = (spot.valueCodeableConcept?.coding ?? []).map(({ system, code }) => presence[`${system}|${code}`]);
  return { state: said.find((each) => each === "present" || each === "absent") ?? "other", date: day(resource) };
}

/** Replace all that was said of this mutation. `answers`: the codes for present and absent. */
export function setTested(patient, marker, state, date, answers) {
  forget(patient, { query: "genomics", codes: marker.codes });
  if (!state) return;
  const made = observation(patient, marker.codes[0], marker.name, date);
  made.valueCodeableConcept = { coding: [{ system: LOINC, code: answers[state] }], text: state };
  put(patient, "genomics", made);
}

/** How many genomic results there are that none of these markers speaks of. */
export function furtherGenomics(patient, markers) {
  const codes = markers.flatMap((marker) => marker.codes);
  return entriesOf(patient, "genomics", false).filter(({ resource }) => !coded(resource?.code, codes)).length;
}

// --- Drugs ------------------------------------------------------------------------------------------------------------

const TAKEN = [["medications", "MedicationRequest"], ["statements", "MedicationStatement"]];

/** What is ordered and taken: {resource, name, dose, quantity, role, key} for each; key "" for a draft. */
export function orders(patient) {
  const drafts = patient.drafts.map(({ resource }) => told(resource, "draft", ""));
  const taken = TAKEN.flatMap(([key, type]) =>
    entriesOf(patient, key, false)
      .filter(({ resource }) => resource?.resourceType === type)
      .map(({ resource }) => told(resource, resource.status ?? "", key)),
  );
  return [...drafts, ...taken];
}

function told(resource, role, key) {
  const concept = resource?.medicationCodeableConcept ?? resource?.code;
  const contained = (resource?.contained ?? []).find((each) => each?.resourceType === "Medication")?.code;
  const name = [concept, contained].map((each) => each?.text ?? each?.coding?.[0]?.display).find(Boolean)
    ?? resource?.medicationReference?.display ?? resource?.medicationReference?.reference ?? resource?.resourceType ?? "?";
  const dosage = (resource?.dosageInstruction ?? resource?.dosage ?? [])[0];
  const quantity = dosage?.doseAndRate?.[0]?.doseQuantity;
  return { resource, name: String(name), dose: dosage?.text ?? "", quantity, role, key };
}

/** Order a drug: {name, code, dose, often, route, role, since}. */
export function order(patient, { name, code, dose, often, route, role, since }) {
  const resource = {
    resourceType: "MedicationRequest", id: freshId(), status: role, intent: "order",
    medicationCodeableConcept: { text: name },
    subject: { reference: `Patient/${patient.patientId}` },
    authoredOn: since,
  };
  if (code) resource.medicationCodeableConcept.coding = [{ system: RXNORM, code, display: name }];
  const dosage = { timing: { repeat: { frequency: often, period: 1, periodUnit: "d" } } };
  if (role === "active") dosage.timing.repeat.boundsPeriod = { start: since };
  if (route) dosage.route = { text: route };
  if (dose) dosage.doseAndRate = [{ doseQuantity: { value: dose, unit: "mg", system: UCUM, code: "mg" } }];
  dosage.text = [dose ? `${dose} mg` : "", spokenOften(often)].filter(Boolean).join(" ");
  resource.dosageInstruction = [dosage];
  if (role === "draft") patient.drafts.push({ resource });
  else put(patient, "medications", resource);
  if (role === "draft") patient.selections = [reference(resource)];
}

/** Change the amount of one dose; its text follows. */
export function setDose(resource, value) {
  const dosage = (resource.dosageInstruction ?? resource.dosage)[0];
  const quantity = dosage.doseAndRate[0].doseQuantity;
  quantity.value = value;
  const often = dosage.timing?.repeat?.frequency;
  dosage.text = [`${value} ${quantity.unit ?? quantity.code}`, often ? spokenOften(often) : ""].filter(Boolean).join(" ");
}

/** Take an order from the drafts or the record. */
export function drop(patient, key, resource) {
  if (key) remove(patient, key, resource);
  else patient.drafts = patient.drafts.filter((entry) => entry.resource !== resource);
}

/** What accepting a suggestion does in an EHR: create, update or delete; the words of what was done. */
export function accept(patient, suggestion) {
  for (const action of suggestion.actions ?? []) {
    if (action.type === "delete") erase(patient, action.resourceId);
    else if (action.type === "update") exchange(patient, clone(action.resource));
    else patient.drafts.push({ resource: { id: freshId(), ...clone(action.resource) } });
  }
}

function erase(patient, id) {
  const matches = (resource) => reference(resource) === id || resource?.id === id;
  patient.drafts = patient.drafts.filter(({ resource }) => !matches(resource));
  for (const key of Object.keys(patient.prefetch)) {
    for (const { resource } of [...entriesOf(patient, key, false)]) if (matches(resource)) remove(patient, key, resource);
  }
}

function exchange(patient, changed) {
  const same = ({ resource }) => reference(resource) === reference(changed);
  const entries = [...patient.drafts, ...Object.keys(patient.prefetch).flatMap((key) => entriesOf(patient, key, false))];
  const found = entries.filter(same);
  for (const entry of found) entry.resource = changed;
  if (!found.length) patient.drafts.push({ resource: changed });
}

// --- The person, and the day --------------------------------------------------------------------------------------------

/** The Patient resource, where one was sent. */
export function person(patient) {
  const sent = patient.prefetch.patient;
  if (sent?.resourceType === "Patient") return sent;
  return entriesOf(patient, "patient", false).find(({ resource }) => resource?.resourceType === "Patient")?.resource ?? null;
}

/** The age in whole years on the patient's today; null where no whole date of birth is on file. */
export function age(patient) {
  const born = person(patient)?.birthDate;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(born ?? "")) return null;
  const today = patient.now.slice(0, 10);
  return Number(today.slice(0, 4)) - Number(born.slice(0, 4)) - (today.slice(5) < born.slice(5) ? 1 : 0);
}

/** Make the patient so many years old today, on the same birthday where there is one. */
export function setAge(patient, years) {
  const today = patient.now.slice(0, 10);
  const birthday = (person(patient).birthDate ?? "").slice(5, 10) || "01-01";
  const year = Number(today.slice(0, 4)) - years - (today.slice(5) < birthday ? 1 : 0);
  person(patient).birthDate = `${String(year).padStart(4, "0")}-${birthday === "02-29" ? "02-28" : birthday}`;
}

/** Who this is, as an EHR's banner says it. */
export function spokenOf(patient) {
  const who = person(patient);
  if (!who) return "No Patient was sent.";
  const name = (who.name ?? [])[0];
  const called = name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(" ");
  const years = age(patient);
  return [called || "unnamed", who.gender ?? "", years === null ? "age not on file" : `${years} years`].filter(Boolean).join(", ");
}

/** The conditions on file, in the chart's words. */
export function conditions(patient) {
  return entriesOf(patient, "conditions", false)
    .filter(({ resource }) => resource?.resourceType === "Condition")
    .map(({ resource }) => String(resource.code?.text ?? resource.code?.coding?.[0]?.display ?? "a condition without words"));
}

// --- Small things -------------------------------------------------------------------------------------------------------

export const clone = (value) => JSON.parse(JSON.stringify(value));

export const reference = (resource) => `${resource?.resourceType}/${resource?.id}`;

const listed = (found) => (Array.isArray(found) ? found : []);
const freshId = () => `playground-${uuid()}`;

const searchset = (entry) => ({ resourceType: "Bundle", type: "searchset", total: entry.length, entry });

const coded = (concept, codes) => (concept?.coding ?? []).some((coding) => codes.includes(coding?.code));

const when = (resource) =>
  resource.effectiveDateTime ?? resource.effectiveInstant ?? resource.effectivePeriod?.start ?? resource.issued ?? "";

const day = (resource) => when(resource).slice(0, 10);

const spokenOften = (often) => ({ 1: "once daily", 2: "twice daily" })[often] ?? `${often} times daily`;

function setDay(resource, date) {
  if (!date || day(resource) === date) return;
  for (const name of ["effectiveInstant", "effectivePeriod", "issued"]) delete resource[name];
  resource.effectiveDateTime = date;
}

function observation(patient, code, text, date) {
  return {
    resourceType: "Observation", id: freshId(), status: OBSERVATION_STATUS,
    code: { coding: [{ system: LOINC, code }], text },
    subject: { reference: `Patient/${patient.patientId}` },
    effectiveDateTime: date,
  };
}

/** The entries under a key; with `mend`, a Bundle is made where none was sent. */
function entriesOf(patient, key, mend = true) {
  const sent = patient.prefetch[key];
  if (sent?.resourceType === "Bundle") {
    if (!Array.isArray(sent.entry)) {
      if (!mend) return [];
      sent.entry = [];
    }
    return sent.entry;
  }
  if (!mend) return [];
  patient.prefetch[key] = searchset([]);
  return patient.prefetch[key].entry;
}

function put(patient, key, resource) {
  entriesOf(patient, key).push({ resource, search: { mode: "match" } });
  counted(patient, key);
}

function remove(patient, key, resource) {
  const bundle = patient.prefetch[key];
  bundle.entry = bundle.entry.filter((entry) => entry.resource !== resource);
  counted(patient, key);
}

function counted(patient, key) {
  const bundle = patient.prefetch[key];
  if (bundle?.resourceType === "Bundle" && "total" in bundle) bundle.total = bundle.entry.length;
}

/** The keys of the queries that ask for this resource: by its type and, for observations, by its code. */
function asking(queries, resource) {
  return queries
    .filter(({ template }) => template.split("?")[0] === resource.resourceType)
    .filter(({ template }) => {
      const codes = new URLSearchParams(template.split("?")[1] ?? "").get("code");
      return codes === null || coded(resource.code, codes.split(",").map((token) => token.split("|").at(-1)));
    })
    .map(({ key }) => key);
}
