import { Button, Group, Input, Pill, TextInput } from "@mantine/core";
import { useState } from "react";
import { day } from "../../parts/format.ts";

/** Days on which a schedule is off. */
export function ExcludedDates({ dates, onChange }: { dates: string[]; onChange: (dates: string[]) => void }) {
  const [typed, setTyped] = useState("");
  const add = () => {
    if (typed) onChange([...new Set([...dates, typed])].sort());
    setTyped("");
  };
  return (
    <Input.Wrapper label="Not on these days" labelElement="div">
      <Group gap="xs">
        {dates.map((date) => (
          <Pill
            key={date}
            withRemoveButton
            onRemove={() => onChange(dates.filter((one) => one !== date))}
            removeButtonProps={{ "aria-label": `Remove ${day(date)}`, "aria-hidden": false, tabIndex: 0 }}
          >
            {day(date)}
          </Pill>
        ))}
        <TextInput
          size="xs"
          type="date"
          aria-label="A day to leave out"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            add();
          }}
        />
        <Button size="xs" variant="default" onClick={add} disabled={!typed}>
          Leave out
        </Button>
      </Group>
    </Input.Wrapper>
  );
}
