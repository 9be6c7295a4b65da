import { Anchor, Group, MultiSelect, NumberInput, Select, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { Link, useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { ApiError } from "../../api/error.ts";
import { FormPage, type SaveContext } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { ExcludedDates } from "./excluded-dates.tsx";
import { type Network, targetName, type Where } from "./places.ts";
import { type Rules, type Schedule, STORE_ZONE, wordsOfRules } from "./rules-words.ts";
import { readSchedulesAgain } from "./schedules.ts";
import { TimingEditor } from "./timing-editor.tsx";

interface Values {
  name: string;
  /** `GROUP:<id>` or `DEVICE:<id>` */
  target_id: string;
  playlist_id: string;
  timezone: string;
  rules: Rules;
  tags: string[];
}

const LABELS: { [K in keyof Values]: string } = {
  name: "Name",
  target_id: "Plays on",
  playlist_id: "Playlist",
  timezone: "Time zone",
  rules: "Rules",
  tags: "Tags",
};

/** Makes or changes a schedule: what plays, where, when, and how much of the loop it gets. */
export function ScheduleForm({
  network,
  schedule,
  where,
  playlistId,
}: {
  network: Network;
  schedule: Schedule | null;
  where: Where | null;
  playlistId: string | null;
}) {
  const [, navigate] = useLocation();
  const fault = useRef<string | null>(null);
  const form = useForm<Values>({ initialValues: schedule ? valuesOf(schedule) : newValues(where, playlistId) });
  const { rules, timezone } = form.values;
  const setRules = (part: Partial<Rules>) => form.setFieldValue("rules", { ...rules, ...part });
  const saved = useRef("");

  const save = async (values: Values, { version, idempotencyKey }: SaveContext) => {
    if (fault.current) {
      const fields = [{ pointer: "/rules/dayparts", detail: fault.current }];
      throw new ApiError(400, "WORDS", "The times are not understood", fault.current, null, fields);
    }
    const body = bodyOf(values);
    const made = schedule
      ? await call("PATCH /v1/admin/schedules/{id}", { path: { id: schedule.id }, body, version })
      : await call("POST /v1/admin/schedules", { body, idempotencyKey });
    await readSchedulesAgain();
    saved.current = `${made.target_type}:${made.target_id}`;
    said(schedule ? `Saved ${made.name}` : `Added ${made.name}`);
  };

  return (
    <FormPage
      form={form}
      width={720}
      saveLabel={schedule ? "Save" : "Add schedule"}
      onSave={save}
      onDone={() => navigate(`/schedules?where=${encodeURIComponent(saved.current)}`)}
      {...(schedule
        ? {
            editing: {
              version: schedule.version,
              labels: LABELS,
              show: (field: keyof Values, value: Values[keyof Values]) => showField(network, field, value, timezone),
              read: async () => {
                const now = await call("GET /v1/admin/schedules/{id}", { path: { id: schedule.id } });
                return { values: valuesOf(now), version: now.version };
              },
            },
          }
        : {})}
    >
      <Panel title="What plays where?">
        <Stack gap="sm">
          <TextInput label="Name" {...(schedule ? {} : { "data-autofocus": true, autoFocus: true })} {...form.getInputProps("name")} />
          <Select
            label="Playlist"
            data={[...network.playlists].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label))}
            searchable
            limit={100}
            nothingFoundMessage={
              <>
                No playlist of that name.{" "}
                <Anchor component={Link} href="/playlists" inherit>
                  Make one
                </Anchor>
              </>
            }
            {...form.getInputProps("playlist_id")}
          />
          <Select
            label="Plays on"
            description="All devices of a group, or a single device."
            data={network.targets}
            searchable
            limit={100}
            {...form.getInputProps("target_id")}
          />
        </Stack>
      </Panel>
      <Panel title="When?">
        <TimingEditor
          rules={rules}
          timezone={timezone}
          onChange={(next, zone) => form.setValues({ rules: next, timezone: zone })}
          onFault={(said) => {
            fault.current = said;
          }}
          errors={form.errors}
        />
      </Panel>
      <Panel title="How much of the loop?">
        <Stack gap="sm">
          <Group grow align="flex-start">
            <NumberInput
              label="Priority"
              description="Of schedules that are on, the highest play; equals share."
              min={-1000}
              max={1000}
              allowDecimal={false}
              value={rules.priority ?? 0}
              onChange={(value) => setRules({ priority: Number(value) || 0 })}
              error={form.errors["rules.priority"]}
            />
            <NumberInput
              label="Weight"
              description="Its part among equals: twice the weight, twice the plays."
              min={1}
              max={100}
              allowDecimal={false}
              value={rules.weight ?? 1}
              onChange={(value) => setRules({ weight: Number(value) || 1 })}
              error={form.errors["rules.weight"]}
            />
          </Group>
          <NumberInput
            label="Share of voice"
            description="Seconds of every hour that it surely gets, evenly spread, before others share what is left."
            placeholder="None"
            suffix=" s an hour"
            min={1}
            max={3600}
            allowDecimal={false}
            value={rules.share_of_voice_s_per_hour ?? ""}
            onChange={(value) => setRules({ share_of_voice_s_per_hour: value === "" ? null : Number(value) })}
            error={form.errors["rules.share_of_voice_s_per_hour"]}
          />
          <Group grow align="flex-start">
            <Cap label="At most, an hour" name="max_plays_per_hour" rules={rules} onChange={setRules} />
            <Cap label="At most, a day" name="max_plays_per_day" rules={rules} onChange={setRules} />
          </Group>
        </Stack>
      </Panel>
      <Panel title="Except">
        <Stack gap="sm">
          <ExcludedDates
            dates={rules.exclusions?.dates ?? []}
            onChange={(dates) => setRules({ exclusions: { ...rules.exclusions, dates } })}
          />
          <MultiSelect
            label="Not in these stores"
            data={[...network.stores.values()].map(({ id, name }) => ({ value: id, label: name }))}
            searchable
            clearable
            limit={100}
            value={rules.exclusions?.store_ids ?? []}
            onChange={(store_ids) => setRules({ exclusions: { ...rules.exclusions, store_ids } })}
          />
          <TagsInput label="Tags" description="To find it by. Enter adds one." {...form.getInputProps("tags")} />
        </Stack>
      </Panel>
      <Text size="sm" c="dimmed" role="status">
        {wordsOfRules(rules, timezone)}
      </Text>
    </FormPage>
  );
}

function Cap({
  label,
  name,
  rules,
  onChange,
}: {
  label: string;
  name: "max_plays_per_hour" | "max_plays_per_day";
  rules: Rules;
  onChange: (part: Partial<Rules>) => void;
}) {
  return (
    <NumberInput
      label={label}
      placeholder="No cap"
      suffix=" plays"
      min={1}
      allowDecimal={false}
      value={rules.frequency_cap?.[name] ?? ""}
      onChange={(value) => {
        const { [name]: _, ...others } = rules.frequency_cap ?? {};
        onChange({ frequency_cap: value === "" ? others : { ...others, [name]: Number(value) } });
      }}
    />
  );
}

function showField(network: Network, field: keyof Values, value: Values[keyof Values], timezone: string) {
  if (field === "rules") return wordsOfRules(value as Rules, timezone);
  if (field === "tags") return (value as string[]).join(", ") || "–";
  if (field === "playlist_id") return network.playlists.get(String(value)) ?? String(value);
  if (field === "target_id") {
    const [type, id = ""] = String(value).split(":");
    return targetName(network, type as Where["type"], id);
  }
  return String(value);
}

function newValues(where: Where | null, playlistId: string | null): Values {
  return {
    name: "",
    target_id: where ? `${where.type}:${where.id}` : "",
    playlist_id: playlistId ?? "",
    timezone: STORE_ZONE,
    rules: {},
    tags: [],
  };
}

function valuesOf({ name, target_type, target_id, playlist_id, timezone, rules, tags }: Schedule): Values {
  return { name, target_id: `${target_type}:${target_id}`, playlist_id, timezone, rules, tags };
}

function bodyOf({ target_id, rules, ...values }: Values) {
  const [type = "GROUP", id = ""] = target_id.split(":");
  const { frequency_cap: cap, exclusions, ...others } = rules;
  const isExcluding = Boolean(exclusions?.dates?.length || exclusions?.store_ids?.length);
  return {
    ...values,
    target_type: type as Where["type"],
    target_id: id,
    rules: {
      ...others,
      ...(cap && Object.keys(cap).length > 0 ? { frequency_cap: cap } : {}),
      ...(isExcluding && exclusions ? { exclusions } : {}),
    },
  };
}
