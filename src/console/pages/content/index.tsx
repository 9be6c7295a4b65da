import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

/** The media that can be shown, in all its versions. */
export default function ContentPage() {
  return (
    <>
      <PageHead title="Content" line="The media that can be shown, in all its versions." />
      <Empty>This page is being built.</Empty>
    </>
  );
}
