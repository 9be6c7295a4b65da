import { JoinForm } from "./join-form.tsx";
import { WayIn } from "./way-in.tsx";

/** Where the one-time link of the first administrator leads. */
export default function SetupPage() {
  return (
    <WayIn title="Set up the console" line="You are the first here: make yourself the administrator. Others are invited later.">
      <JoinForm words={() => ({ doing: "Make administrator" })} />
    </WayIn>
  );
}
