import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** The way of plays from screens into reports, and what is stuck on it. */
export default function PipelinePage() {
  return (
    <>
      <PageHead title="Pipeline" line="The way of plays from screens into reports, and what is stuck on it." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
