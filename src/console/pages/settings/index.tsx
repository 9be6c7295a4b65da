import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** Users, API tokens, webhooks and the policies of device groups. */
export default function SettingsPage() {
  return (
    <>
      <PageHead title="Settings" line="Users, API tokens, webhooks and the policies of device groups." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
