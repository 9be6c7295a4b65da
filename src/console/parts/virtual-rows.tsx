import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type RefObject, useEffect } from "react";

const OVERSCAN_ROWS = 12;

/** The rows of a long table that are in view, with room above and below for the others. Scrolling draws this anew, not the table. */
export default function VirtualRows({
  frame,
  count,
  rowHeightPx,
  scroller,
  onDrawn,
  children,
}: {
  /** What scrolls. */
  frame: RefObject<HTMLElement | null>;
  count: number;
  rowHeightPx: number;
  /** Is given the way to bring a row into view. */
  scroller: RefObject<((index: number) => void) | null>;
  /** Told after each drawing: a row that was scrolled to may only now be there. */
  onDrawn: () => void;
  /** One row, by its place. */
  children: (index: number) => ReactNode;
}) {
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeightPx,
    overscan: OVERSCAN_ROWS,
  });
  const visible = virtualizer.getVirtualItems().map(({ index }) => index);
  useEffect(() => {
    scroller.current = (index) => virtualizer.scrollToIndex(index);
    return () => {
      scroller.current = null;
    };
  }, [virtualizer, scroller]);
  useEffect(onDrawn);
  const above = (visible[0] ?? 0) * rowHeightPx;
  const below = (count - 1 - (visible.at(-1) ?? count - 1)) * rowHeightPx;
  return (
    <>
      {above > 0 && <Spacer height={above} />}
      {visible.map(children)}
      {below > 0 && <Spacer height={below} />}
    </>
  );
}

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden style={{ height }}>
      <td style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}
