import { addDays } from "../../parts/days.ts";

/** What a report can be narrowed by, and what it is of in the API. */
export const DIMENSIONS = {
  campaign_id: { label: "Campaign", group: "campaign", path: "/v1/admin/campaigns", name: "name" },
  ad_group_id: { label: "Ad group", group: "ad_group", path: "/v1/admin/ad-groups", name: "name" },
  store_id: { label: "Store", group: "store", path: "/v1/admin/stores", name: "name" },
  supplier_id: { label: "Supplier", group: "supplier", path: "/v1/admin/suppliers", name: "name" },
  content_id: { label: "Content", group: "content", path: "/v1/admin/content", name: "name" },
  device_id: { label: "Device", group: "device", path: "/v1/admin/devices", name: "external_name" },
} as const;

export type Dimension = keyof typeof DIMENSIONS;
export const DIMENSION_KEYS = Object.keys(DIMENSIONS) as Dimension[];

export type Kind = "played" | "planned";
export type Group = "day" | "campaign" | "ad_group" | "store" | "supplier" | "content" | "device" | "status";

export const GROUPS: Record<Group, string> = {
  day: "Day",
  campaign: "Campaign",
  ad_group: "Ad group",
  store: "Store",
  supplier: "Supplier",
  content: "Content",
  device: "Device",
  status: "Status",
};

const GROUPS_OF: Record<Kind, Group[]> = {
  played: ["day", "campaign", "ad_group", "store", "supplier", "content", "device", "status"],
  planned: ["day", "campaign", "store", "supplier", "device"],
};
/** A plan knows neither content nor ad group of what is to come. */
const DIMENSIONS_OF: Record<Kind, Dimension[]> = {
  played: DIMENSION_KEYS,
  planned: ["campaign_id", "store_id", "supplier_id", "device_id"],
};

/** A report as the page's address has it. */
export interface Asked {
  kind: Kind;
  from: string;
  to: string;
  groups: Group[];
  filters: Partial<Record<Dimension, string[]>>;
}

export const ASKED_KEYS = ["kind", "from", "to", "group_by", ...DIMENSION_KEYS];
const DEFAULT_DAYS = 7;

/** Reads an address; what it does not have, or what is no answer there, takes the default. Pure. */
export function askedOf(values: Record<string, string>, today: string): Asked {
  const kind: Kind = values.kind === "planned" ? "planned" : "played";
  const to = dayOf(values.to) ?? today;
  const from = dayOf(values.from) ?? addDays(to, 1 - DEFAULT_DAYS);
  const allowed = GROUPS_OF[kind];
  const groups = [...new Set((values.group_by ?? "").split(","))].flatMap((one) => allowed.find((group) => group === one) ?? []);
  const filters = Object.fromEntries(
    DIMENSIONS_OF[kind].flatMap((key) => {
      const ids = (values[key] ?? "").split(",").filter(Boolean);
      return ids.length > 0 ? [[key, ids]] : [];
    }),
  );
  return { kind, from, to, groups: groups.length > 0 ? groups : ["campaign"], filters };
}

function dayOf(text: string | undefined): string | null {
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

export function groupsOf(kind: Kind): Group[] {
  return GROUPS_OF[kind];
}

export function dimensionsOf(kind: Kind): Dimension[] {
  return DIMENSIONS_OF[kind];
}

/** The query of the API's report. */
export function reportQuery({ from, to, groups, filters }: Asked) {
  return { from, to, group_by: groups.join(","), ...filters };
}

/** Which plays a figure counts, beside the groups of its row. */
export interface Part {
  status?: string;
  billable?: boolean;
}

/** Where the plays behind a figure are shown: the row's groups narrow the report's filters. Pure. */
export function playsHref(asked: Asked, row: Record<string, unknown>, part: Part = {}): string {
  const search = new URLSearchParams();
  const day = typeof row.day === "string" ? row.day : null;
  if (day) search.set("day", day);
  else if (asked.from === asked.to) search.set("day", asked.from);
  search.set("from", day ?? asked.from);
  search.set("to", day ?? asked.to);
  for (const key of DIMENSION_KEYS) {
    const own = asked.groups.includes(DIMENSIONS[key].group) ? (row[key] ?? "none") : null;
    const ids = own === null ? asked.filters[key] : [String(own)];
    if (ids) search.set(key, ids.join(","));
  }
  const status = typeof row.status === "string" ? row.status : part.status;
  if (status) search.set("status", status);
  if (part.billable) search.set("billable", "true");
  return `/reports/plays?${search}`;
}
