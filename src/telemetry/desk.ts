import { decideTelemetry, type TelemetryAdmission, type TelemetryAnswer, type TelemetryRequest, type TelemetryState } from "./admit.ts";
import { readSessions, writeSessions } from "./sessions.ts";

/** What was decided of a request, and how what it changes becomes durable. */
interface Decided {
  answer: TelemetryAnswer;
  keep: TelemetryAdmission["keep"];
  /** Writes the sessions; belongs into the transaction that keeps the rest. */
  write: () => void;
  /** What memory knows follows, once that transaction held. */
  settle: () => void;
}

/** The sessions of telemetry of one player, inside its object: as text, which is read only when telemetry comes. */
export class TelemetryDesk {
  constructor(
    private sessions: string | null,
    private readonly store: (sessions: string) => void,
  ) {}

  decide(request: TelemetryRequest, state: Omit<TelemetryState, "sessions">): Decided {
    const { answer, keep } = decideTelemetry(request, { ...state, sessions: readSessions(this.sessions) });
    const text = keep?.sessions ? writeSessions(keep.sessions) : null;
    if (text === null || text === this.sessions) return { answer, keep, write: () => {}, settle: () => {} };
    return {
      answer,
      keep,
      write: () => this.store(text),
      settle: () => {
        this.sessions = text;
      },
    };
  }
}
