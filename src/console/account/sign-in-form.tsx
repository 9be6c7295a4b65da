import { Anchor, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Fault } from "../parts/fault.tsx";
import { signInByCode, signInByPassword, signInByToken } from "./calls.ts";

type Step = "password" | "code" | "token";

/** Signs in: e-mail and password, then a code where a second factor is on; or an API token. `email` fixes whose sign-in it is. */
export function SignInForm({ email, onDone }: { email?: string | undefined; onDone: () => Promise<unknown> }) {
  const [step, setStep] = useState<Step>("password");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "");
    setBusy(true);
    setError(null);
    try {
      if (step === "password" && (await signInByPassword(email ?? field("email").trim(), field("password")))) {
        setStep("code");
        return;
      }
      if (step === "code") await signInByCode(field("code"));
      if (step === "token") await signInByToken(field("token").trim());
      await onDone();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const go = (next: Step) => {
    setError(null);
    setStep(next);
  };

  return (
    <form onSubmit={(event) => void submit(event)} key={step}>
      <Stack gap="sm">
        {error !== null && <Fault error={error} />}
        {step === "password" && <PasswordFields email={email} />}
        {step === "code" && (
          <TextInput
            name="code"
            label="Code"
            description="Six digits from your app, or a backup code"
            autoComplete="one-time-code"
            required
            autoFocus
          />
        )}
        {step === "token" && (
          <PasswordInput
            name="token"
            label="API token"
            description="It is kept in this tab alone, and forgotten when it closes"
            autoComplete="off"
            required
            autoFocus
          />
        )}
        <Button type="submit" loading={busy} fullWidth>
          {step === "code" ? "Confirm" : "Sign in"}
        </Button>
        <Anchor component="button" type="button" size="xs" c="dimmed" onClick={() => go(step === "password" ? "token" : "password")}>
          {step === "password" ? "Sign in with an API token" : "Sign in with a password"}
        </Anchor>
      </Stack>
    </form>
  );
}

function PasswordFields({ email }: { email: string | undefined }) {
  return (
    <>
      <TextInput
        name="email"
        type="email"
        label="E-mail"
        autoComplete="username"
        required
        defaultValue={email ?? ""}
        readOnly={email !== undefined}
        autoFocus={email === undefined}
      />
      <PasswordInput
        name="password"
        label="Password"
        description="Forgotten? Ask an administrator for a link"
        inputWrapperOrder={["label", "input", "description", "error"]}
        autoComplete="current-password"
        required
        autoFocus={email !== undefined}
      />
    </>
  );
}
