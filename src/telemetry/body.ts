import {
  type ColumnChecks,
  cell,
  isOneOf,
  isText,
  isWhole,
  isWholeOrNull,
  type PackedRows,
  packColumns,
  readColumns,
} from "../plays/packed.ts";
import { TELEMETRY_TYPES, type TelemetryRow } from "./event.ts";

const CHECKS: ColumnChecks<TelemetryRow> = {
  type: isOneOf(TELEMETRY_TYPES),
  content_id: isText,
  at: isWhole,
  position_ms: isWholeOrNull,
  played_ms: isWhole,
  session: isText,
  received_at: isWhole,
  correlation_id: isText,
  named: (value) => typeof value === "boolean",
};

/** A request's events as text, column by column: what a body of telemetry holds (`src/plays/chunk.ts`). */
export function packTelemetry(rows: TelemetryRow[]): string {
  return JSON.stringify(
    packColumns<TelemetryRow>(rows.length, {
      type: rows.map(({ type }) => type),
      content_id: rows.map(({ content_id }) => content_id),
      at: rows.map(({ at }) => at),
      position_ms: rows.map(({ position_ms }) => position_ms),
      played_ms: rows.map(({ played_ms }) => played_ms),
      session: rows.map(({ session }) => session),
      received_at: rows.map(({ received_at }) => received_at),
      correlation_id: rows.map(({ correlation_id }) => correlation_id),
      named: rows.map(({ named }) => named),
    }),
  );
}

/** And back. @throws Error where the text is none of {@link packTelemetry}'s. */
export function unpackTelemetry(text: string): TelemetryRow[] {
  const packed = JSON.parse(text) as PackedRows;
  const row = readColumns<TelemetryRow>(packed, CHECKS);
  return Array.from({ length: packed.count }, (_, at) => ({
    type: cell(row.type, at),
    content_id: cell(row.content_id, at),
    at: cell(row.at, at),
    position_ms: cell(row.position_ms, at),
    played_ms: cell(row.played_ms, at),
    session: cell(row.session, at),
    received_at: cell(row.received_at, at),
    correlation_id: cell(row.correlation_id, at),
    named: cell(row.named, at),
  }));
}
