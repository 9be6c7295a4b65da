import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { type ApiError, asApiError } from "../api/error.ts";
import { Fault } from "../parts/fault.tsx";
import { acceptInvitation, enter, type Invitation, lookAtInvitation } from "./calls.ts";

const PASSWORD_MIN_CHARS = 12;

/** What a link of ours leads to: a name and a password, and one is in. `words` says what the link was for. */
export function JoinForm({ words }: { words: (invitation: Invitation) => { doing: string } }) {
  const token = new URLSearchParams(useSearch()).get("token") ?? "";
  const found = useQuery<Invitation, ApiError>({ queryKey: ["invitation", token], queryFn: () => lookAtInvitation(token), retry: false });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [, navigate] = useLocation();
  if (found.error) return <Fault error={found.error} />;
  if (!found.data) return null;
  const invitation = found.data;
  const at = (pointer: string) => error?.fields.find((field) => field.pointer === pointer)?.detail;

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "").trim();
    setBusy(true);
    setError(null);
    try {
      const asksCode = await acceptInvitation({
        token,
        password: String(fields.get("password") ?? ""),
        ...(invitation.kind === "reset" ? {} : { name: field("name") }),
        ...(invitation.kind === "setup" ? { email: field("email") } : {}),
      });
      // A second factor that was on before stays on: the sign-in page asks for it.
      if (!asksCode) await enter();
      navigate("/", { replace: true });
    } catch (thrown) {
      setError(asApiError(thrown));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        {error && <Fault error={error} />}
        {invitation.kind === "setup" ? (
          <TextInput name="email" type="email" label="E-mail" autoComplete="username" required error={at("/email")} autoFocus />
        ) : (
          <TextInput type="email" label="E-mail" autoComplete="username" value={invitation.email ?? ""} readOnly />
        )}
        {invitation.kind !== "reset" && (
          <TextInput name="name" label="Your name" autoComplete="name" required defaultValue={invitation.name ?? ""} error={at("/name")} />
        )}
        <PasswordInput
          name="password"
          label="Password"
          description={`${PASSWORD_MIN_CHARS} characters or more; a few words are best`}
          autoComplete="new-password"
          minLength={PASSWORD_MIN_CHARS}
          required
          error={at("/password")}
        />
        <Button type="submit" loading={busy} fullWidth>
          {words(invitation).doing}
        </Button>
      </Stack>
    </form>
  );
}
