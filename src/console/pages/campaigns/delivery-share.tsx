import { Text } from "@mantine/core";
import { percent } from "../../parts/format.ts";
import { State } from "../../parts/state.tsx";
import { deliveryState } from "./delivery.ts";

/** A share of what was planned; where all of its days are over, with the sign of whether that is well. */
export function DeliveryShare({ delivery, isOver = true }: { delivery: number | null; isOver?: boolean }) {
  if (delivery === null)
    return (
      <Text component="span" inherit c="dimmed">
        nothing planned
      </Text>
    );
  if (!isOver) return percent(delivery);
  return <State value={deliveryState(delivery)}>{percent(delivery)}</State>;
}
