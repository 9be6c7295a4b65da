import { JoinForm } from "./join-form.tsx";
import { WayIn } from "./way-in.tsx";

/** Where invitations lead, and links to a new password. */
export default function AcceptPage() {
  return (
    <WayIn title="Welcome" line="Choose a password, and you are in.">
      <JoinForm words={({ kind }) => ({ doing: kind === "reset" ? "Set the password" : "Accept the invitation" })} />
    </WayIn>
  );
}
