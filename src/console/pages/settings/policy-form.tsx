import { NumberInput, Select, SimpleGrid, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
import { AGE_DOORS, AGE_WORDS, type FieldWords, offlineAfter, POLICY_WORDS, type PolicyValues } from "./policy-fields.ts";

/** The values of a group's page. */
export interface GroupValues {
  name: string;
  default_playlist_id: string | null;
  policy: PolicyValues;
}

type Form = UseFormReturnType<GroupValues>;
type Path = Parameters<Form["getInputProps"]>[0];

/** The fields of a policy, each with what it does, its default, and what it affects. What is left empty is the default. */
export function PolicyFields({ form }: { form: Form }) {
  const { heartbeat_interval_s: heartbeat, signature } = form.getValues().policy;
  return (
    <>
      <Part title="Being there">
        <NumberField form={form} path="policy.heartbeat_interval_s" words={POLICY_WORDS.heartbeat_interval_s}>
          A device of this group is offline after {offlineAfter(heartbeat)} of silence.
        </NumberField>
        <NumberField form={form} path="policy.storage_cap_bytes" words={POLICY_WORDS.storage_cap_bytes} decimals={3} />
      </Part>
      <Part title="What plays may come in">
        <NumberField form={form} path="policy.requests_per_minute" words={POLICY_WORDS.requests_per_minute} />
        <div>
          <Text size="sm" fw={600}>
            Oldest age
          </Text>
          <Text size="xs" c="dimmed" mb={6}>
            How old a play may be when it arrives; what is older is refused as TOO_OLD, and never billed. Longer forgives shops that are
            offline for long; never over seven days (168 hours).
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            {AGE_DOORS.map((door) => (
              <NumberField key={door} form={form} path={`policy.max_age_hours.${door}`} words={AGE_WORDS[door]} decimals={2} />
            ))}
          </SimpleGrid>
        </div>
      </Part>
      <Part title="What plays prove">
        <ChoiceField
          form={form}
          path="policy.signature"
          words={POLICY_WORDS.signature}
          choices={[
            { value: "required", label: "Required" },
            { value: "optional", label: "Optional" },
          ]}
        />
        <ChoiceField form={form} path="policy.unsigned_billable" words={POLICY_WORDS.unsigned_billable} choices={YES_NO}>
          {signature === "required" && "Of no effect now: what is unsigned is refused."}
        </ChoiceField>
        <ChoiceField form={form} path="policy.batch_signature" words={POLICY_WORDS.batch_signature} choices={YES_NO} />
      </Part>
    </>
  );
}

const YES_NO = [
  { value: "true", label: "Yes" },
  { value: "false", label: "No" },
];

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="form-part">
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

interface FieldProps {
  form: Form;
  path: Path;
  words: FieldWords;
  /** What the value of now means. */
  children?: ReactNode;
}

function Help({ words, children }: { words: FieldWords; children: ReactNode }) {
  return (
    <>
      {words.help} Default: {words.byDefault}.{children ? <strong> {children}</strong> : null}
    </>
  );
}

function NumberField({ form, path, words, decimals = 0, children }: FieldProps & { decimals?: number }) {
  return (
    <NumberInput
      label={words.label}
      description={<Help words={words}>{children}</Help>}
      inputWrapperOrder={["label", "input", "description", "error"]}
      placeholder={`Default: ${words.byDefault}`}
      suffix={words.unit ? ` ${words.unit}` : ""}
      thousandSeparator=","
      decimalScale={decimals}
      allowNegative={false}
      clampBehavior="none"
      {...form.getInputProps(path)}
    />
  );
}

function ChoiceField({ form, path, words, choices, children }: FieldProps & { choices: { value: string; label: string }[] }) {
  return (
    <Select
      label={words.label}
      description={<Help words={words}>{children}</Help>}
      inputWrapperOrder={["label", "input", "description", "error"]}
      data={[{ value: "", label: `Default (${words.byDefault})` }, ...choices]}
      allowDeselect={false}
      {...form.getInputProps(path)}
    />
  );
}
