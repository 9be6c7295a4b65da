import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** Content in an order, with weights. */
export default function PlaylistsPage() {
  return (
    <>
      <PageHead title="Playlists" line="Content in an order, with weights." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
