import type { Answer } from "../../api/client.ts";
import { count, span } from "../../parts/format.ts";

export type Policy = Answer<"GET /v1/admin/device-groups/{id}">["policy"];

/** A policy as a form has it: what is empty is the product's default. */
export interface PolicyValues {
  heartbeat_interval_s: number | "";
  requests_per_minute: number | "";
  /** In gigabytes: people do not type bytes. */
  storage_cap_bytes: number | "";
  max_age_hours: Record<AgeDoor, number | "">;
  signature: "" | "required" | "optional";
  unsigned_billable: "" | "true" | "false";
  batch_signature: "" | "true" | "false";
}

export const AGE_DOORS = ["playback-log", "proof-event", "impression", "stream"] as const;
export type AgeDoor = (typeof AGE_DOORS)[number];

export const GIGABYTE = 1_000_000_000;
/** The product's defaults; the server has them where a policy is silent. */
const DEFAULT_HEARTBEAT_S = 60;
const MISSED_HEARTBEATS = 3;

/** A field of a policy: what it is called, its default, and what it does. */
export interface FieldWords {
  label: string;
  /** What holds where the policy is silent. */
  byDefault: string;
  help: string;
  unit?: string;
  least?: number;
  most?: number;
  whole?: boolean;
}

export const POLICY_WORDS = {
  heartbeat_interval_s: {
    label: "Heartbeat interval",
    byDefault: `${DEFAULT_HEARTBEAT_S} s`,
    help: "How often a device says that it is there and asks for commands. Three missed ones make it offline. Shorter is noticed sooner, and costs more requests.",
    unit: "seconds",
    least: 10,
    most: 3600,
    whole: true,
  },
  storage_cap_bytes: {
    label: "Storage cap",
    byDefault: "the whole disk",
    help: "How much of its disk a player may fill with content; it drops what it needs least. Over it, or over 90 % of the disk, the incident LOW_STORAGE opens.",
    unit: "GB",
    least: 0,
    most: 1_000_000,
  },
  requests_per_minute: {
    label: "Requests a minute",
    byDefault: "120",
    help: "How many requests with plays each device may send in any minute. What is over it is answered 429 and sent again later: nothing is lost, it only comes late.",
    unit: "a minute",
    least: 1,
    most: 1_000_000,
    whole: true,
  },
  signature: {
    label: "Signatures",
    byDefault: "required, but at proof events",
    help: "Whether each record must be signed by the device's key. Required: what is unsigned is refused. Optional: it is recorded with the flag UNSIGNED.",
  },
  unsigned_billable: {
    label: "Unsigned plays are billable",
    byDefault: "no",
    help: "Matters only where signatures are optional. Yes: a play that nobody signed may be billed, and an advertiser has only the device's word for it.",
  },
  batch_signature: {
    label: "One signature for a batch",
    byDefault: "no",
    help: "Yes: a player may sign a whole request (Batch-Signature) in place of each record, which is less work for weak hardware.",
  },
} satisfies Record<Exclude<keyof Policy, "max_age_hours">, FieldWords>;

const AGE_LIMITS = { unit: "hours", least: 0.01, most: 168 };
export const AGE_WORDS: Record<AgeDoor, FieldWords> = {
  "playback-log": { label: "Play logs", byDefault: "24 h", help: "Sent over HTTP after the play.", ...AGE_LIMITS },
  "proof-event": { label: "Proof events", byDefault: "24 h", help: "A start and an end for each play.", ...AGE_LIMITS },
  impression: { label: "Impressions", byDefault: "4 h", help: "The doors of players that were made for other systems.", ...AGE_LIMITS },
  stream: { label: "Stream", byDefault: "4 h", help: "Over the open connection. What waited longer goes over HTTP.", ...AGE_LIMITS },
};

export function policyValues(policy: Policy): PolicyValues {
  const yes = (value: boolean | undefined) => (value === undefined ? "" : value ? "true" : "false");
  return {
    heartbeat_interval_s: policy.heartbeat_interval_s ?? "",
    requests_per_minute: policy.requests_per_minute ?? "",
    storage_cap_bytes: policy.storage_cap_bytes === undefined ? "" : policy.storage_cap_bytes / GIGABYTE,
    max_age_hours: {
      "playback-log": policy.max_age_hours?.["playback-log"] ?? "",
      "proof-event": policy.max_age_hours?.["proof-event"] ?? "",
      impression: policy.max_age_hours?.impression ?? "",
      stream: policy.max_age_hours?.stream ?? "",
    },
    signature: policy.signature ?? "",
    unsigned_billable: yes(policy.unsigned_billable),
    batch_signature: yes(policy.batch_signature),
  };
}

/** The policy that a form's values mean: what is empty is left out, and so the default. Pure. */
export function policyOf(values: PolicyValues): Policy {
  const { heartbeat_interval_s, requests_per_minute, storage_cap_bytes, signature, unsigned_billable, batch_signature } = values;
  const ages = Object.fromEntries(
    AGE_DOORS.flatMap((door) => (values.max_age_hours[door] === "" ? [] : [[door, values.max_age_hours[door]]])),
  );
  return {
    ...(heartbeat_interval_s === "" ? {} : { heartbeat_interval_s }),
    ...(requests_per_minute === "" ? {} : { requests_per_minute }),
    ...(storage_cap_bytes === "" ? {} : { storage_cap_bytes: Math.round(storage_cap_bytes * GIGABYTE) }),
    ...(Object.keys(ages).length === 0 ? {} : { max_age_hours: ages }),
    ...(signature === "" ? {} : { signature }),
    ...(unsigned_billable === "" ? {} : { unsigned_billable: unsigned_billable === "true" }),
    ...(batch_signature === "" ? {} : { batch_signature: batch_signature === "true" }),
  };
}

/** What is wrong with a number of a field; null where nothing is. Pure. */
export function numberFault(
  { least = 0, most = Number.MAX_SAFE_INTEGER, whole = false, unit }: FieldWords,
  value: number | "",
): string | null {
  if (value === "") return null;
  if (whole && !Number.isInteger(value)) return "Give a whole number.";
  return value < least || value > most ? `Give ${count(least)} to ${count(most)} ${unit ?? ""}.`.replace(" .", ".") : null;
}

/** What is wrong with a policy's numbers, by the form's paths. Pure. */
export function policyFaults(values: PolicyValues): Record<string, string> {
  const fields: [string, FieldWords, number | ""][] = [
    ["policy.heartbeat_interval_s", POLICY_WORDS.heartbeat_interval_s, values.heartbeat_interval_s],
    ["policy.requests_per_minute", POLICY_WORDS.requests_per_minute, values.requests_per_minute],
    ["policy.storage_cap_bytes", POLICY_WORDS.storage_cap_bytes, values.storage_cap_bytes],
    ...AGE_DOORS.map((door): [string, FieldWords, number | ""] => [
      `policy.max_age_hours.${door}`,
      AGE_WORDS[door],
      values.max_age_hours[door],
    ]),
  ];
  return Object.fromEntries(
    fields.flatMap(([path, words, value]) => {
      const fault = numberFault(words, value);
      return fault === null ? [] : [[path, fault]];
    }),
  );
}

/** When a device with this interval counts as offline: `3 min`. */
export function offlineAfter(seconds: number | ""): string {
  return span((seconds === "" ? DEFAULT_HEARTBEAT_S : seconds) * MISSED_HEARTBEATS * 1000);
}

/** One row of a policy in words. */
export interface PolicyRow {
  id: string;
  label: string;
  value: string;
  isDefault: boolean;
  help: string;
}

/** All of a policy in words, its defaults too. Pure. */
export function policyRows(policy: Policy): PolicyRow[] {
  const values = policyValues(policy);
  const row = (id: string, words: FieldWords, value: string): PolicyRow => ({
    id,
    label: words.label,
    value: value === "" ? words.byDefault : value,
    isDefault: value === "",
    help: words.help,
  });
  const number = (value: number | "", unit: string) => (value === "" ? "" : `${count(value)} ${unit}`);
  const yes = (value: string) => (value === "" ? "" : value === "true" ? "yes" : "no");
  return [
    row("heartbeat", POLICY_WORDS.heartbeat_interval_s, number(values.heartbeat_interval_s, "s")),
    row("storage", POLICY_WORDS.storage_cap_bytes, values.storage_cap_bytes === "" ? "" : `${values.storage_cap_bytes} GB`),
    row("rate", POLICY_WORDS.requests_per_minute, number(values.requests_per_minute, "")),
    ...AGE_DOORS.map((door) => {
      const hours = values.max_age_hours[door];
      const words = { ...AGE_WORDS[door], label: `Oldest ${AGE_WORDS[door].label.toLowerCase()}` };
      return row(door, words, hours === "" ? "" : `${hours} h`);
    }),
    row("signature", POLICY_WORDS.signature, values.signature),
    row("unsigned", POLICY_WORDS.unsigned_billable, yes(values.unsigned_billable)),
    row("batch", POLICY_WORDS.batch_signature, yes(values.batch_signature)),
  ];
}

/** What a policy sets, on one line: `Heartbeat interval: 30 s · Signatures: required`. */
export function policyLine(policy: Policy): string {
  const set = policyRows(policy).filter(({ isDefault }) => !isDefault);
  if (set.length === 0) return "Defaults";
  return set.map(({ label, value }) => `${label}: ${value.trim()}`).join(" · ");
}
