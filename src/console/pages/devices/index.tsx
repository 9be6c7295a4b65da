import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** Every screen of the network: is it well, and what does it play. */
export default function DevicesPage() {
  return (
    <>
      <PageHead title="Devices" line="Every screen of the network: is it well, and what does it play." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
