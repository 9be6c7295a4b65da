import { ActionIcon, Button, Group, Radio, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { clockRangeOf, emptyWeek, hoursOfWeek, paint, rangeOf, united, WEEKDAYS, type Week, weekOfHours } from "../../parts/week.ts";
import { WeekGrid } from "../../parts/week-grid.tsx";
import { type Read, readWeek, wordsOfRange, wordsOfWeek } from "../../parts/week-words.ts";
import { WordsField } from "../../parts/words-field.tsx";
import type { Hours } from "./stores.ts";

type Given = NonNullable<Hours>;
type Holiday = NonNullable<Given["holidays"]>[number];

const USUAL: Week = paint(emptyWeek(), WEEKDAYS.slice(0, 6), { from: 8 * 60, to: 20 * 60 }, true);

/** A holiday's hours in words: `closed`, or `10:00–14:00`. */
export function wordsOfHoliday({ hours }: Pick<Holiday, "hours">): string {
  return hours.length === 0 ? "closed" : hours.map((range) => wordsOfRange(rangeOf(range))).join(" and ");
}

/** Reads a day's hours: `closed`, or `10:00–14:00 and 16:00–18:00`. */
export function readDay(words: string): Read<Holiday["hours"]> {
  const read = readWeek(words);
  if (!read.ok) return read;
  return { ok: true, value: united(read.value.mon).map(clockRangeOf) };
}

/** All hours of a store in words, holidays too. */
export function wordsOfHours(hours: Hours): string {
  if (!hours) return "not given";
  const holidays = (hours.holidays ?? []).map((holiday) => `${holiday.date} ${wordsOfHoliday(holiday)}`);
  return [wordsOfWeek(weekOfHours(hours)), ...holidays].join("; ");
}

/** A store's hours: painted on the week, or written in words, each following the other; and the days that are different. */
export function HoursEditor({
  value,
  onChange,
  onFault,
}: {
  value: Hours;
  onChange: (hours: Hours) => void;
  onFault: (fault: string | null) => void;
}) {
  const week = value ? weekOfHours(value) : emptyWeek();
  const setWeek = (next: Week) => onChange({ ...hoursOfWeek(next), ...(value?.holidays ? { holidays: value.holidays } : {}) });
  return (
    <Stack gap="xs">
      <Radio.Group
        label="Opening hours"
        description="By the store's own clock. Devices that are silent while it is open raise an incident."
        value={value ? "given" : "none"}
        onChange={(choice) => {
          onFault(null);
          onChange(choice === "given" ? hoursOfWeek(USUAL) : null);
        }}
      >
        <Group gap="lg" mt={6}>
          <Radio size="xs" value="given" label="These hours" />
          <Radio size="xs" value="none" label="Not given: counts as always open" />
        </Group>
      </Radio.Group>
      {value && (
        <>
          <WeekGrid week={week} onChange={setWeek} label="Opening hours" />
          <WordsField label="The same in words" value={week} words={wordsOfWeek} read={readWeek} onChange={setWeek} onFault={onFault} />
          <Holidays holidays={value.holidays ?? []} onChange={(holidays) => onChange({ ...value, holidays })} onFault={onFault} />
        </>
      )}
    </Stack>
  );
}

function Holidays({
  holidays,
  onChange,
  onFault,
}: {
  holidays: Holiday[];
  onChange: (holidays: Holiday[]) => void;
  onFault: (fault: string | null) => void;
}) {
  const change = (at: number, part: Partial<Holiday>) => onChange(holidays.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const add = () => {
    const last = holidays
      .map(({ date }) => date)
      .sort()
      .at(-1);
    const after = Date.parse(`${last ?? new Date().toISOString().slice(0, 10)}T00:00:00Z`) + 86_400_000;
    onChange([...holidays, { date: new Date(after).toISOString().slice(0, 10), hours: [] }]);
  };
  return (
    <Stack gap={6}>
      <div>
        <Text size="sm" fw={500}>
          Holidays and special days
        </Text>
        <Text size="xs" c="dimmed">
          Their hours take the place of the weekday's.
        </Text>
      </div>
      {holidays.map((holiday, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a date may be typed anew, and its field must stay
        <Group key={at} gap="xs" wrap="nowrap" align="flex-start">
          <TextInput
            type="date"
            aria-label={`Date of special day ${at + 1}`}
            value={holiday.date}
            onChange={(event) => change(at, { date: event.currentTarget.value })}
            w={160}
          />
          <div style={{ flex: 1 }}>
            <WordsField
              label=""
              ariaLabel={`Hours of special day ${at + 1}`}
              value={holiday.hours}
              words={(hours) => wordsOfHoliday({ hours })}
              read={readDay}
              onChange={(hours) => change(at, { hours })}
              onFault={onFault}
            />
          </div>
          <ActionIcon
            mt={4}
            aria-label={`Remove special day ${at + 1}`}
            onClick={() => onChange(holidays.filter((_, index) => index !== at))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <div>
        <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} onClick={add}>
          Add a special day
        </Button>
      </div>
    </Stack>
  );
}
