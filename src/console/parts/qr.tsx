import { useMemo } from "react";
import { encode } from "uqr";

/** A QR code, dark on white in both themes, for cameras read no other well. `label` says where it leads. */
export function Qr({ value, label, size = 180 }: { value: string; label: string; size?: number }) {
  const { size: cells, path } = useMemo(() => {
    const { data, size: across } = encode(value, { border: 2 });
    const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { size: across, path: dark.join("") };
  }, [value]);
  return (
    <svg width={size} height={size} viewBox={`0 0 ${cells} ${cells}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={cells} height={cells} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
