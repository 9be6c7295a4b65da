import { Button, Modal, Text } from "@mantine/core";
import { useMe } from "../api/me.ts";
import { settleSignIn, signInAsked } from "../api/session.ts";
import { useStore } from "../api/store.ts";
import { enter } from "./calls.ts";
import { SignInForm } from "./sign-in-form.tsx";

/** The dialog over a page whose session has ended: what was typed stays, and what was being sent is sent again. */
export function SignInAgain() {
  const asked = useStore(signInAsked);
  const before = useMe();
  const done = async () => {
    const me = await enter();
    // Somebody else: nothing of the first one's page may be sent in their name.
    if (me.id !== before.id) location.reload();
    else settleSignIn(true);
  };
  return (
    <Modal opened={asked} onClose={() => settleSignIn(false)} title="Sign in again" size="sm" zIndex={400} closeOnClickOutside={false}>
      <Text size="sm" mb="sm">
        Your session has ended. Nothing that you have typed is lost: sign in, and it goes on.
      </Text>
      <SignInForm email={before.email ?? undefined} onDone={done} />
      <Button mt="xs" size="compact-xs" variant="subtle" color="gray" onClick={() => settleSignIn(false)}>
        Not now
      </Button>
    </Modal>
  );
}
