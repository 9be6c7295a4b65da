import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** What the network does now, and what needs you. */
export default function OverviewPage() {
  return (
    <>
      <PageHead title="Overview" line="What the network does now, and what needs you." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
