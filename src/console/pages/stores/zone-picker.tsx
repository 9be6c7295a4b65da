import { Select } from "@mantine/core";
import { useMemo } from "react";
import { clock } from "../../parts/format.ts";

const ZONES = Intl.supportedValuesOf("timeZone");

/** `UTC+01:00`, as it is now. */
export function offsetOf(zone: string, at: number): string {
  const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value;
  return name === undefined || name === "GMT" ? "UTC+00:00" : name.replace("GMT", "UTC");
}

/** Picks a time zone: by its name or city, with what its clock shows now. `first` stands above the zones, such as the store's own. */
export function ZonePicker({
  first = [],
  ...field
}: {
  label: string;
  description?: string;
  first?: { value: string; label: string }[];
  value?: string;
  onChange: (zone: string) => void;
  error?: React.ReactNode;
}) {
  const data = useMemo(() => {
    const now = Date.now();
    const known = !field.value || first.some(({ value }) => value === field.value) || ZONES.includes(field.value);
    const zones = known ? ZONES : [...ZONES, field.value ?? ""];
    return [
      ...first,
      ...zones.map((zone) => ({ value: zone, label: `${zone.replaceAll("_", " ")} · ${offsetOf(zone, now)} · ${clock(now, zone)}` })),
    ];
  }, [first, field.value]);
  return (
    <Select
      {...field}
      onChange={(zone) => zone !== null && field.onChange(zone)}
      data={data}
      searchable
      limit={60}
      allowDeselect={false}
      required
      withAsterisk={false}
      nothingFoundMessage="No zone of that name"
    />
  );
}
