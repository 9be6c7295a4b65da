import { Text } from "@mantine/core";
import { percent } from "../../parts/format.ts";
import { State } from "../../parts/state.tsx";
import { deliveryState } from "./delivery.ts";

/** A share of what was planned, with the word on whether that is well. */
export function DeliveryShare({ delivery }: { delivery: number | null }) {
  if (delivery === null)
    return (
      <Text component="span" inherit c="dimmed">
        nothing planned
      </Text>
    );
  return <State value={deliveryState(delivery)}>{percent(delivery)}</State>;
}
