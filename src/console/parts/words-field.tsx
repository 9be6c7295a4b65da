import { Textarea } from "@mantine/core";
import { useState } from "react";
import type { Read } from "./week-words.ts";

/**
 * A value written in words, beside whatever else edits it: typing changes the value as soon as it is understood, and a value that is
 * changed elsewhere is put into words again. What is not understood is said, and kept until it is mended; `onFault` hears of it.
 */
export function WordsField<T>({
  label,
  ariaLabel,
  description,
  value,
  words,
  read,
  onChange,
  onFault,
}: {
  label: string;
  /** Where there is no label. */
  ariaLabel?: string;
  description?: string;
  value: T;
  words: (value: T) => string;
  read: (words: string) => Read<T>;
  onChange: (value: T) => void;
  onFault: (fault: string | null) => void;
}) {
  const now = words(value);
  // What was typed, and the words of the value that it came to: while these are the value's, what was typed stands.
  const [typed, setTyped] = useState<{ text: string; meant: string; fault: string | null } | null>(null);
  const stands = typed !== null && typed.meant === now;
  const type = (text: string) => {
    const result = read(text);
    if (result.ok) onChange(result.value);
    setTyped({ text, meant: result.ok ? words(result.value) : now, fault: result.ok ? null : result.fault });
    onFault(result.ok ? null : result.fault);
  };
  return (
    <Textarea
      label={label || undefined}
      aria-label={ariaLabel}
      description={description}
      autosize
      minRows={1}
      value={stands ? typed.text : now}
      error={stands ? typed.fault : null}
      onChange={(event) => type(event.currentTarget.value)}
      onBlur={() => {
        if (typed?.fault === null) setTyped(null);
      }}
      spellCheck={false}
    />
  );
}
