import { enter } from "./calls.ts";
import { SignInForm } from "./sign-in-form.tsx";
import { WayIn } from "./way-in.tsx";

export function SignInPage() {
  return (
    <WayIn title="Sign in">
      <SignInForm onDone={enter} />
    </WayIn>
  );
}
