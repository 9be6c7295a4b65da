import { Group, Stack, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { WeekGrid } from "../../parts/week-grid.tsx";
import { WordsField } from "../../parts/words-field.tsx";
import { localTime } from "../stores/stores.ts";
import { ZonePicker } from "../stores/zone-picker.tsx";
import { type Rules, readTiming, STORE_ZONE, type Timing, timingOf, withTiming, wordsOfTiming } from "./rules-words.ts";

const STORE = [{ value: STORE_ZONE, label: "Store time: each store's own clock" }];

/** When a schedule is on: painted on a week, chosen in fields, or written in words, each following the others. */
export function TimingEditor({
  rules,
  timezone,
  onChange,
  onFault,
  errors,
}: {
  rules: Rules;
  timezone: string;
  onChange: (rules: Rules, timezone: string) => void;
  onFault: (fault: string | null) => void;
  errors: Record<string, ReactNode>;
}) {
  const timing = timingOf({ rules, timezone });
  const set = (part: Partial<Timing>) => {
    const next = { ...timing, ...part };
    onChange(withTiming(rules, next), next.timezone);
  };
  const today = localTime(Date.now(), "UTC").date;
  return (
    <Stack gap="sm">
      <WordsField
        label="In words"
        description="Such as “Mon–Fri 08:00–12:00, store time, from 1 Nov until 31 Dec”."
        value={timing}
        words={wordsOfTiming}
        read={(words) => readTiming(words, today)}
        onChange={set}
        onFault={onFault}
      />
      <WeekGrid week={timing.week} onChange={(week) => set({ week })} label="When it plays" />
      <Group grow align="flex-start">
        <TextInput
          type="date"
          label="First day"
          value={timing.start_date ?? ""}
          onChange={(event) => set({ start_date: event.currentTarget.value || null })}
          error={errors["rules.start_date"]}
        />
        <TextInput
          type="date"
          label="Last day"
          value={timing.end_date ?? ""}
          onChange={(event) => set({ end_date: event.currentTarget.value || null })}
          error={errors["rules.end_date"]}
        />
      </Group>
      <ZonePicker
        label="By which clock"
        first={STORE}
        value={timezone}
        onChange={(zone) => set({ timezone: zone })}
        error={errors.timezone}
      />
    </Stack>
  );
}
