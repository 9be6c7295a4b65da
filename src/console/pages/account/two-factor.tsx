import { Button, Code, Group, Modal, PasswordInput, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { beginTwoFactor, confirmTwoFactor, endTwoFactor, enter, newBackupCodes } from "../../account/calls.ts";
import { useMe } from "../../api/me.ts";
import { Fault } from "../../parts/fault.tsx";
import { Id } from "../../parts/id.tsx";
import { said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Qr } from "../../parts/qr.tsx";
import { State } from "../../parts/state.tsx";

type Doing = "enable" | "disable" | "codes";

export function TwoFactorPanel() {
  const me = useMe();
  const [doing, setDoing] = useState<Doing | null>(null);
  const on = me.two_factor_enabled === true;
  return (
    <Panel title="Second factor" aside={<State value={on ? "ok" : "warn"}>{on ? "On" : "Off"}</State>}>
      <Text size="sm" mb="sm">
        {on
          ? "Each sign-in asks for a code of your app."
          : "A code from an app on your phone, asked for at each sign-in, so that a password alone opens nothing."}
      </Text>
      <Group gap="xs">
        {!on && <Button onClick={() => setDoing("enable")}>Turn on</Button>}
        {on && (
          <Button variant="default" onClick={() => setDoing("codes")}>
            New backup codes
          </Button>
        )}
        {on && (
          <Button variant="default" color="red" onClick={() => setDoing("disable")}>
            Turn off
          </Button>
        )}
      </Group>
      <Modal
        opened={doing !== null}
        onClose={() => setDoing(null)}
        title={doing === "enable" ? "Turn on the second factor" : doing === "disable" ? "Turn off the second factor" : "New backup codes"}
      >
        {doing && <Steps doing={doing} onClose={() => setDoing(null)} />}
      </Modal>
    </Panel>
  );
}

/** First the password; then, for turning it on, the app's code; last the backup codes, shown this once. */
function Steps({ doing, onClose }: { doing: Doing; onClose: () => void }) {
  const [uri, setUri] = useState<string | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [confirmed, setConfirmed] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "");
    setBusy(true);
    setError(null);
    try {
      if (uri !== null) {
        await confirmTwoFactor(field("code").replaceAll(" ", ""));
        await enter();
        setConfirmed(true);
      } else if (doing === "enable") {
        const begun = await beginTwoFactor(field("password"));
        setUri(begun.totp_uri);
        setCodes(begun.backup_codes);
      } else if (doing === "codes") {
        setCodes((await newBackupCodes(field("password"))).backup_codes);
        setConfirmed(true);
      } else {
        await endTwoFactor(field("password"));
        await enter();
        said("Second factor turned off");
        onClose();
      }
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  if (confirmed && codes) return <BackupCodes codes={codes} onClose={onClose} />;
  return (
    <form onSubmit={(event) => void submit(event)} key={uri === null ? "password" : "code"}>
      <Stack gap="sm">
        {error !== null && <Fault error={error} />}
        {uri === null ? (
          <PasswordInput name="password" label="Your password" autoComplete="current-password" required data-autofocus />
        ) : (
          <>
            <Text size="sm">
              Scan this with your app (Google Authenticator, 1Password, Aegis and others), then type the six digits that it shows.
            </Text>
            <Group justify="center">
              <Qr value={uri} label="QR code for your authenticator app" />
            </Group>
            <Text size="xs" c="dimmed">
              Or type this key: <Id value={new URL(uri).searchParams.get("secret") ?? ""} label="key" whole />
            </Text>
            <TextInput name="code" label="Code" inputMode="numeric" autoComplete="one-time-code" required data-autofocus />
          </>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={busy} {...(doing === "disable" ? { color: "red" } : {})}>
            {uri !== null ? "Turn on" : doing === "disable" ? "Turn off" : "Go on"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function BackupCodes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Stack gap="sm">
      <Text size="sm">Keep these codes where your phone is not. Each lets you in once. They are not shown again.</Text>
      <SimpleGrid cols={2} spacing="xs">
        {codes.map((code) => (
          <Code key={code}>{code}</Code>
        ))}
      </SimpleGrid>
      <Group justify="space-between">
        <Id value={codes.join("\n")} label="backup codes" />
        <Button onClick={onClose}>I have kept them</Button>
      </Group>
    </Stack>
  );
}
