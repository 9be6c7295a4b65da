/**
 * Signs the logs of every `parts`-th block of a set and appends them to a file, one JSON text a line; the offsets of the lines go to
 * another file (Float64). A process of its own, under the pinned Node:
 *
 *     node test/bench/sign.ts '{"shape":{…},"rounds":12,"block":100,"part":0,"parts":2,"lastEndsAt":…,"keys":"…","file":"…"}'
 */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { type FleetShape, playOf } from "./fleet.ts";
import { privateKeys, signRecord } from "./record.ts";

export interface SignJob {
  shape: FleetShape;
  rounds: number;
  block: number;
  part: number;
  parts: number;
  lastEndsAt: number;
  checksum: boolean;
  keys: string;
  file: string;
}

const job = JSON.parse(process.argv[2] ?? "{}") as SignJob;
const keys = privateKeys(JSON.parse(readFileSync(job.keys, "utf8")) as { privateKey: string }[]);
const { shape, rounds, block, part, parts } = job;
const blocks = rounds * shape.devices;
const own = Math.ceil((blocks - part) / parts);
const offsets = new Float64Array(own * block + 1);
const out = openSync(job.file, "w");
let line = 0;
let bytes = 0;
for (let blockIndex = part; blockIndex < blocks; blockIndex += parts) {
  const lines = Array.from({ length: block }, (_, index) => signed(blockIndex, index));
  for (const text of lines) {
    bytes += Buffer.byteLength(text) + 1;
    line += 1;
    offsets[line] = bytes;
  }
  writeSync(out, `${lines.join("\n")}\n`);
}
closeSync(out);
writeFileSync(`${job.file}.offsets`, Buffer.from(offsets.buffer));

function signed(blockIndex: number, index: number): string {
  const device = blockIndex % shape.devices;
  const sequence = Math.floor(blockIndex / shape.devices) * block + index + 1;
  const plays = rounds * block;
  const record = playOf(shape, device, { sequence, after: plays - sequence, plays, lastEndsAt: job.lastEndsAt, id: randomUUID() });
  return signRecord(record, device, keys, job.checksum);
}
