import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** Proof of play: what was shown, counted once. */
export default function ReportsPage() {
  return (
    <>
      <PageHead title="Reports" line="Proof of play: what was shown, counted once." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
