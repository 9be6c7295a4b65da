import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** What advertisers have booked, and how much of it has been delivered. */
export default function CampaignsPage() {
  return (
    <>
      <PageHead title="Campaigns" line="What advertisers have booked, and how much of it has been delivered." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
