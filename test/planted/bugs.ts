/** Which tests are asked: the simulation, or files of vitest. */
export type Catcher = "simulation" | `test/${string}.test.ts`;

/** A bug to be planted: a text that stands in a file exactly once, and what stands there instead. */
export interface PlantedBug {
  what: string;
  file: string;
  find: string;
  replace: string;
  /** The narrowest tests that must fail with it. */
  caughtBy: Catcher;
}

const SEQUENCER = "src/plays/sequencer.ts";
const STORE = "src/plays/sequencer-store.ts";
const OUTBOX_DESK = "src/plays/outbox-desk.ts";
const RECORD = "src/plays/record.ts";
const COMMIT = "src/plays/commit.ts";
const PLAYER = "test/faults/player.test.ts";
const EXACTLY_ONCE = "test/faults/exactly-once.test.ts";

const GIVING = "test/plans/give.test.ts";
const SCHEDULED = "test/plans/scheduled-plays.test.ts";

/** Bugs that would break a promise: each has been, or could be, an honest mistake in a change. */
export const BUGS: PlantedBug[] = [
  {
    what: "the answer leaves before the plays are written",
    file: SEQUENCER,
    find: "if (admission.keep) this.#keep(admission.keep, request.receivedAt);",
    replace: "const { keep } = admission;\n    if (keep) setTimeout(() => this.#keep(keep, request.receivedAt), 5);",
    caughtBy: "simulation",
  },
  {
    what: "memory is changed before the transaction",
    file: OUTBOX_DESK,
    find: "    const before = this.#lastArrival;\n",
    replace: "    const before = this.#lastArrival;\n    this.#head = head;\n    this.#lastArrival += bodies.length;\n",
    caughtBy: "simulation",
  },
  {
    what: "the head is not written",
    file: OUTBOX_DESK,
    find: '      this.store.write("state", { head, outbox });\n',
    replace: '      this.store.write("state", { head: this.#head, outbox });\n',
    caughtBy: "simulation",
  },
  {
    what: "what was seen is not written",
    file: OUTBOX_DESK,
    find: "index === 0 ? packed : null",
    replace: "index < 0 ? packed : null",
    caughtBy: "simulation",
  },
  {
    what: "a chunk leaves the outbox when it is sent",
    file: OUTBOX_DESK,
    find: "        if (marked !== this.#outbox) this.#owe(marked, now);\n",
    replace: "        this.#owe(confirm(marked, numbers).state, now);\n",
    caughtBy: "simulation",
  },
  {
    what: "arrivals are deleted when they are sealed",
    file: OUTBOX_DESK,
    find: "    this.#write(next, () => {});\n",
    replace: "    this.#write(next, () => {\n      for (const chunk of sealed) this.store.dropPacked(chunk.first, chunk.last);\n    });\n",
    caughtBy: "simulation",
  },
  {
    what: "a chunk that is sent again gets a new number",
    file: "src/plays/outbox.ts",
    find: "sends: chunk.sends + 1,",
    replace: "sends: chunk.sends + 1,\n          number: chunk.number + 1000,",
    caughtBy: "simulation",
  },
  {
    what: "refusals that a chunk carries stay in the head, and are counted again",
    file: OUTBOX_DESK,
    find: "head: carried ? { ...head, refusals: refusalsOf(left) } : head",
    replace: "head",
    caughtBy: "simulation",
  },
  {
    what: "what is packed is deleted before storage knows that it was confirmed",
    file: OUTBOX_DESK,
    find: "return this.#write({ head: this.#head, outbox: this.#outbox }, () => more(confirmedRanges(this.#outbox)));",
    replace: "return this.store.transaction(() => more(confirmedRanges(this.#outbox)));",
    caughtBy: EXACTLY_ONCE,
  },
  {
    what: "the sweep leaves a lost alarm lost",
    file: SEQUENCER,
    find: "    this.#alarmAt = await this.ctx.storage.getAlarm();\n    this.#arm(Date.now());\n",
    replace: "",
    caughtBy: PLAYER,
  },
  {
    what: "a former player's token is taken",
    file: "src/plays/admission.ts",
    find: 'profile.status !== "active" || profile.familyId !== request.familyId',
    replace: 'profile.status !== "active"',
    caughtBy: "simulation",
  },
  {
    what: "a revoked device may write",
    file: "src/plays/admission.ts",
    find: '  if (profile.status === "revoked") return turnedAway({ kind: "revoked" });\n  if (profile.status !== "active" || ',
    replace: "  if (",
    caughtBy: "simulation",
  },
  {
    what: "a confirmed arrival takes with it what was seen",
    file: STORE,
    find: "WHERE n BETWEEN ? AND ? AND seen IS NULL",
    replace: "WHERE n BETWEEN ? AND ?",
    caughtBy: "simulation",
  },
  {
    what: "the last of a pack's entries is not found",
    file: "src/plays/seen.ts",
    find: "let high = entries.length / ENTRY_BYTES - 1;",
    replace: "let high = entries.length / ENTRY_BYTES - 2;",
    caughtBy: "simulation",
  },
  {
    what: "the arrival behind a confirmed range goes with it",
    file: "src/plays/outbox.ts",
    find: "ranges.push([from, chunk.first - 1])",
    replace: "ranges.push([from, chunk.first])",
    caughtBy: "simulation",
  },
  {
    what: "a retry is not told its first verdict",
    file: "src/plays/admit.ts",
    find: '{ verdict: "duplicate", told: seen.told }',
    replace: '{ verdict: "duplicate", told: { billable: true, quality: 100, flags: [] } }',
    caughtBy: "simulation",
  },
  {
    what: "another record under a known id passes for a duplicate",
    file: "src/plays/admit.ts",
    find: "seen.hash === log.hash",
    replace: "seen.hash !== null",
    caughtBy: "simulation",
  },
  {
    what: "chunks are confirmed before the commit",
    file: RECORD,
    find: "    try {\n      await commitChunks(",
    replace: "    await confirmAll(fresh, env);\n    try {\n      await commitChunks(",
    caughtBy: "simulation",
  },
  {
    what: "where another consumer was faster, all chunks count as recorded",
    file: RECORD,
    find: "if (!(error instanceof LedgerConflict) || round >= MAX_COMMIT_ROUNDS) throw error;",
    replace: "if (!(error instanceof LedgerConflict) || round >= MAX_COMMIT_ROUNDS) throw error;\n      return deliveries;",
    caughtBy: "simulation",
  },
  {
    what: "a failed batch is acknowledged",
    file: RECORD,
    find: "      for (const { message } of deliveries) retryLater(message);",
    replace: "      for (const { message } of deliveries) message.ack();",
    caughtBy: EXACTLY_ONCE,
  },
  {
    what: "a chunk with other bytes under a recorded id passes as recorded",
    file: RECORD,
    find: "else if (hash !== delivery.chunk.hash) sorted.conflicting.push(delivery);",
    replace: "else if (hash === null) sorted.conflicting.push(delivery);",
    caughtBy: "simulation",
  },
  {
    what: "a segment that was not written is named all the same",
    file: RECORD,
    find: "putSegment(env.BUCKET, segment)",
    replace: "putSegment(env.BUCKET, segment).catch(() => {})",
    caughtBy: "simulation",
  },
  {
    what: "a chunk that is in the ledger already is recorded again",
    file: COMMIT,
    find: "`INSERT INTO chunk_ledger (",
    replace: "`INSERT OR IGNORE INTO chunk_ledger (",
    caughtBy: "simulation",
  },
  {
    what: "a commit is two transactions",
    file: COMMIT,
    find: "withTimeout(db.batch(statements), D1_WRITE_TIMEOUT_MS",
    replace: "withTimeout(db.batch(statements.slice(0, 2)).then(() => db.batch(statements.slice(2))), D1_WRITE_TIMEOUT_MS",
    caughtBy: "simulation",
  },
  {
    what: "the metrics count chunks for plays",
    file: "src/plays/metrics.ts",
    find: '[type, "success"], count)',
    replace: '[type, "success"], chunks.length)',
    caughtBy: "simulation",
  },
  {
    what: "event rows are left out",
    file: COMMIT,
    find: "eventRows ? eventStatements(db, chunks) : []",
    replace: "eventRows ? eventStatements(db, []) : []",
    caughtBy: "simulation",
  },
  {
    what: "sums replace what stands there",
    file: COMMIT,
    find: " + excluded.",
    replace: " * 0 + excluded.",
    caughtBy: "simulation",
  },
  {
    what: "a touched day is not marked again",
    file: COMMIT,
    find: "ON CONFLICT DO UPDATE SET dirty = hourly_retired_at IS NULL, touched_at",
    replace: "ON CONFLICT DO UPDATE SET touched_at",
    caughtBy: "simulation",
  },
  {
    what: "a day that is rolled up again counts twice",
    file: "src/plays/rollup.ts",
    find: "} = excluded.",
    replace: "} = 2 * excluded.",
    caughtBy: "simulation",
  },
  {
    what: "a commit adds nothing to the sums that leave dimensions out",
    file: COMMIT,
    find: "    ...pendingStatements(db, sums.hourly, only),\n",
    replace: "",
    caughtBy: "simulation",
  },
  {
    what: "what is merged stays pending",
    file: "src/plays/daily-sums.ts",
    find: "DELETE FROM plays_daily_pending WHERE (",
    replace: "DELETE FROM plays_daily_pending WHERE id = 0 AND (",
    caughtBy: "simulation",
  },
  {
    what: "a rollup makes a day equal while sums of it are pending",
    file: "src/plays/rollup.ts",
    find: "...mergeStatements(db), ",
    replace: "",
    caughtBy: "test/plays/daily-sums.test.ts",
  },
  {
    what: "a day changes over without the sums that are pending for it",
    file: "src/plays/replay-step.ts",
    find: "    ...mergeStatements(db),\n",
    replace: "",
    caughtBy: "test/plays/replay.test.ts",
  },
  {
    what: "a compacted segment is not marked",
    file: "src/plays/compact.ts",
    find: '"UPDATE segments SET compacted_at = ?2 WHERE id',
    replace: '"UPDATE segments SET compacted_at = ?2 WHERE r2_key',
    caughtBy: "test/plays/compact.test.ts",
  },
  {
    what: "a dead letter is not listed",
    file: "src/plays/dead-letters.ts",
    find: "    listStatement(env.DB, entry),\n",
    replace: "",
    caughtBy: "simulation",
  },
  {
    what: "a sequencer that holds an older profile counts as told",
    file: "src/devices/push.ts",
    find: ".bind(Date.now(), deviceId, version)",
    replace: ".bind(Date.now(), deviceId, version + 1)",
    caughtBy: PLAYER,
  },
  {
    what: "a new epoch is taken for the old one",
    file: "src/plays/admit.ts",
    find: "useEpoch(epochs, log.epoch)",
    replace: 'useEpoch(epochs, "0")',
    caughtBy: PLAYER,
  },
  {
    what: "a number that was used before is billed again",
    file: "src/plays/policy.ts",
    find: "SEQUENCE_CONFLICT: { quality: 0, billable: false }",
    replace: "SEQUENCE_CONFLICT: { quality: 0, billable: true }",
    caughtBy: PLAYER,
  },
  {
    what: "a record that names another device is let in",
    file: "src/plays/examine.ts",
    find: "if (shaped.deviceId !== identity.deviceId)",
    replace: "if (shaped.deviceId === identity.familyId)",
    caughtBy: "test/plays/bad-input.test.ts",
  },
  {
    what: "a batch's signature that does not hold is overlooked",
    file: "src/plays/examine.ts",
    find: 'batchSignature === null ? "none" : batch ? "holds" : "broken"',
    replace: 'batchSignature === null ? "none" : batch ? "holds" : "holds"',
    caughtBy: "test/plays/admission.test.ts",
  },
  {
    what: "unsigned logs are let in where signatures are required",
    file: "src/plays/verify.ts",
    find: 'if (proof.signedBy === "record" || !policy.signatureRequired) return null;',
    replace: 'if (proof.signedBy !== "batch" || !policy.signatureRequired) return null;',
    caughtBy: "test/plays/admission.test.ts",
  },
  {
    what: "a start counts as a play",
    file: "src/plays/admit.ts",
    find: 'log.event?.kind === "start" ? "" : judgement.status',
    replace: "judgement.status",
    caughtBy: "test/plays/events.test.ts",
  },
  {
    what: "a play may end twice",
    file: "src/plays/open-plays.ts",
    find: 'if (event.playId !== "" && this.#isEnded(event.playId)) return "ID_CONFLICT";',
    replace: 'if (event.playId === "" && this.#isEnded(event.playId)) return "ID_CONFLICT";',
    caughtBy: "test/plays/events.test.ts",
  },
  {
    what: "a start whose end came first stays open",
    file: "src/plays/open-plays.ts",
    find: "if (this.#isEnded(log.id)) return;",
    replace: "if (this.#isEnded(log.hash)) return;",
    caughtBy: "test/plays/open-plays.property.test.ts",
  },
  {
    what: "flags do not keep a play from being billed",
    file: "src/plays/judge.ts",
    find: "return flags.every((flag) => FLAG_EFFECTS[flag].billable || ",
    replace: "return flags.every((flag) => flag in FLAG_EFFECTS || ",
    caughtBy: "test/plays/verdicts.vectors.test.ts",
  },
  {
    what: "a plan is given before its slots are known",
    file: "src/plans/give.ts",
    find: "if (!served || knows(served.etag)) return served;",
    replace: "if (served !== undefined) return served;",
    caughtBy: GIVING,
  },
  {
    what: "slots that were lost with an object's storage pass for known",
    file: "src/plays/incarnation.ts",
    find: "      slotsLostStatement(db, deviceId, incarnation),\n",
    replace: '      db.prepare("SELECT 1"),\n',
    caughtBy: GIVING,
  },
  {
    what: "slots are kept in memory only",
    file: "src/plans/slot-desk.ts",
    find: "    this.write(text);\n",
    replace: "",
    caughtBy: SCHEDULED,
  },
  {
    what: "a play is called unscheduled where no plan is known",
    file: "src/plans/find-slot.ts",
    find: "return slot || index.book.covered.some(([begin, end]) => begin <= from && to <= end) ? { slot } : null;",
    replace: "return from <= to ? { slot } : null;",
    caughtBy: SCHEDULED,
  },
  {
    what: "a takeover's play is billed",
    file: "src/plays/judge.ts",
    find: "  if (planned?.slot?.takeover) return false;\n",
    replace: "",
    caughtBy: SCHEDULED,
  },
  {
    what: "two folds of telemetry at once both add",
    file: "src/telemetry/fold.ts",
    find: "through = CASE WHEN through = ?1 THEN ?2 END",
    replace: "through = max(?1, ?2)",
    caughtBy: "test/telemetry/record.test.ts",
  },
  {
    what: "each report of a session's time played is added whole",
    file: "src/telemetry/sessions.ts",
    find: "  return Math.max(0, playedMs - before);\n",
    replace: "  return playedMs;\n",
    caughtBy: "test/telemetry/admit.test.ts",
  },
  {
    what: "under load, starts are thinned too",
    file: "src/telemetry/admit.ts",
    find: 'event.type === "play_progress" && isThinned(event.id, share)',
    replace: "isThinned(event.id, share)",
    caughtBy: "test/telemetry/admit.test.ts",
  },
  {
    what: "a newer stream leaves the older one open",
    file: "src/stream/desk.ts",
    find: "    for (const socket of older) close(socket, CLOSINGS.replaced);\n",
    replace: "",
    caughtBy: "test/stream/stream.test.ts",
  },
  {
    what: "a stream goes on after its token's end",
    file: "src/stream/desk.ts",
    find: "const identity = await verifyDeviceToken(attached(socket).token, this.host.env(), receivedAt);",
    replace: "const identity = await verifyDeviceToken(attached(socket).token, this.host.env(), attached(socket).since);",
    caughtBy: "test/stream/stream.test.ts",
  },
];
