import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** The places where screens hang, with their hours and time zones. */
export default function StoresPage() {
  return (
    <>
      <PageHead title="Stores" line="The places where screens hang, with their hours and time zones." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
