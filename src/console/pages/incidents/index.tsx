import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** What is wrong and must be seen by a person. */
export default function IncidentsPage() {
  return (
    <>
      <PageHead title="Incidents" line="What is wrong and must be seen by a person." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
