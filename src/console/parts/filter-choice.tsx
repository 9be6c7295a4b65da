import { Select } from "@mantine/core";

const SEARCHED_OVER = 8;

/** The choice of a filter that has options, in the dropdown of its chip. */
export function FilterChoice({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: { value: string; label: string }[];
  value: string | null;
  onChange: (value: string | null) => void;
}) {
  return (
    <Select
      size="xs"
      w={240}
      aria-label={label}
      placeholder={`Choose ${label.toLowerCase()}`}
      data={options}
      value={value}
      onChange={onChange}
      searchable={options.length > SEARCHED_OVER}
      comboboxProps={{ withinPortal: false }}
      nothingFoundMessage="Nothing of that name"
      // It comes after the dropdown that would have given it the focus.
      autoFocus
    />
  );
}
