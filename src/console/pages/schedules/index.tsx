import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** What plays where, and when. */
export default function SchedulesPage() {
  return (
    <>
      <PageHead title="Schedules" line="What plays where, and when." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
