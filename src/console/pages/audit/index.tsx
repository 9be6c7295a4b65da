import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** Who changed what, and when. */
export default function AuditPage() {
  return (
    <>
      <PageHead title="Audit" line="Who changed what, and when." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
