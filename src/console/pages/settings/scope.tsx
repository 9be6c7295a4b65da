import { SegmentedControl, Select, Stack, Text } from "@mantine/core";
import type { GetInputPropsReturnType } from "@mantine/form";
import { type ReactNode, useMemo } from "react";
import { useRows } from "../../api/query.ts";

/** What a role may do, in words. */
export const ROLE_WORDS: Record<string, string> = {
  admin: "Everything, with users, API tokens and policies.",
  operator: "Everything but users, API tokens and policies.",
  viewer: "Looks, and changes nothing. Can be held to one supplier or one brand.",
  reporter: "A program that reports plays of players that are no paired devices. It reads nothing.",
};
export const ROLE_TITLES: Record<string, string> = { admin: "Administrator", operator: "Operator", viewer: "Viewer", reporter: "Reporter" };

export const USER_ROLES = ["admin", "operator", "viewer"] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** What a viewer is held to, as a form has it. */
export interface ScopeValues {
  role: string;
  sees: "all" | "supplier" | "brand";
  scope: { supplier_id: string | null; brand_name: string | null };
}

type Scope = Record<string, unknown> | null;

export function scopeValues(role: string, scope: Scope): ScopeValues {
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  const supplier_id = text(scope?.supplier_id);
  const brand_name = text(scope?.brand_name);
  return { role, sees: supplier_id ? "supplier" : brand_name ? "brand" : "all", scope: { supplier_id, brand_name } };
}

/** The scope that a form's values mean. */
export function scopeOf({ role, sees, scope }: ScopeValues): { supplier_id: string } | { brand_name: string } | null {
  if (role !== "viewer") return null;
  if (sees === "supplier" && scope.supplier_id) return { supplier_id: scope.supplier_id };
  return sees === "brand" && scope.brand_name ? { brand_name: scope.brand_name } : null;
}

/** What of a form's scope is missing, by field. For a form's `validate`. */
export function scopeFaults({ role, sees, scope }: ScopeValues): Record<string, string> {
  if (role !== "viewer") return {};
  if (sees === "supplier" && !scope.supplier_id) return { "scope.supplier_id": "Choose the supplier." };
  return sees === "brand" && !scope.brand_name ? { "scope.brand_name": "Choose the brand." } : {};
}

/** Names of suppliers by id, for showing scopes. */
export function useSupplierNames(): Map<string, string> {
  const { rows } = useRows("GET /v1/admin/suppliers", {}, { all: 2000 });
  return useMemo(() => new Map(rows.map(({ id, name }) => [id, name])), [rows]);
}

/** What somebody sees, in words. */
export function seenWords(role: string, scope: Scope, suppliers: Map<string, string>): string {
  const { sees, scope: held } = scopeValues(role, scope);
  if (role === "reporter") return reportedWords(scope);
  if (sees === "supplier") return `Supplier ${suppliers.get(held.supplier_id ?? "") ?? held.supplier_id}`;
  return sees === "brand" ? `Brand ${held.brand_name}` : "The whole network";
}

function reportedWords(scope: Scope): string {
  if (scope?.all_content === true) return "Reports all content";
  const size = (value: unknown) => (Array.isArray(value) ? value.length : 0);
  const parts = [
    [size(scope?.content_ids), "content", "contents"],
    [size(scope?.campaign_ids), "campaign", "campaigns"],
  ] as const;
  const named = parts.filter(([many]) => many > 0).map(([many, one, more]) => `${many} ${many === 1 ? one : more}`);
  return `Reports ${named.join(" and ")}`;
}

type InputOf = (path: "role" | "sees" | "scope.supplier_id" | "scope.brand_name") => GetInputPropsReturnType;

/** The fields of a role and, for a viewer, of what it sees. `input` gives the form's properties of a field. */
export function RoleFields({
  roles,
  values,
  input,
  more,
}: {
  roles: readonly string[];
  values: ScopeValues;
  input: InputOf;
  /** What other roles need, below the role. */
  more?: ReactNode;
}) {
  return (
    <>
      <Select
        label="Role"
        description={ROLE_WORDS[values.role]}
        data={roles.map((role) => ({ value: role, label: ROLE_TITLES[role] ?? role }))}
        allowDeselect={false}
        required
        {...input("role")}
      />
      {values.role === "viewer" && <SeenFields values={values} input={input} />}
      {more}
    </>
  );
}

function SeenFields({ values, input }: { values: ScopeValues; input: InputOf }) {
  const suppliers = useRows("GET /v1/admin/suppliers", { query: { archived: "false" } }, { all: 2000 });
  const campaigns = useRows("GET /v1/admin/campaigns", {}, { all: 5000 });
  const brands = useMemo(() => [...new Set(campaigns.rows.map(({ brand_name }) => brand_name))].sort(), [campaigns.rows]);
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600} id="sees-label">
        What they see
      </Text>
      <SegmentedControl
        aria-labelledby="sees-label"
        data={[
          { value: "all", label: "The whole network" },
          { value: "supplier", label: "One supplier" },
          { value: "brand", label: "One brand" },
        ]}
        {...input("sees")}
      />
      {values.sees === "supplier" && (
        <Select
          label="Supplier"
          description="Its stores and devices, what plays there, and its plays."
          placeholder="Choose a supplier"
          data={suppliers.rows.map(({ id, name }) => ({ value: id, label: name }))}
          searchable
          nothingFoundMessage="No supplier of that name"
          {...input("scope.supplier_id")}
        />
      )}
      {values.sees === "brand" && (
        <Select
          label="Brand"
          description="Its campaigns with their content, and their plays wherever they play. Nothing of other brands."
          placeholder="Choose a brand"
          data={brands}
          searchable
          nothingFoundMessage="No campaign has a brand of that name"
          {...input("scope.brand_name")}
        />
      )}
    </Stack>
  );
}

/** A value out of the page's address, if it is one of those that are known. */
export function oneOf<T extends string>(value: string | undefined, known: readonly T[]): T | undefined {
  return known.find((one) => one === value);
}
