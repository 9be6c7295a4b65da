import { ActionIcon, Anchor, Button, Group, Progress, Text } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconX } from "@tabler/icons-react";
import { Link } from "wouter";
import { useStore } from "../../api/store.ts";
import { bytes, percent, plural } from "../../parts/format.ts";
import { failed, said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State } from "../../parts/state.tsx";
import { discardUnfinished, type Unfinished, unfinished } from "./unfinished.ts";
import { dismissUpload, isUnderWay, pauseUpload, resumeUpload, type Upload, uploads } from "./uploads.ts";

/** What is being uploaded, and what was cut off before. Nothing where there is neither. */
export function UploadsPanel() {
  const list = useStore(uploads);
  const kept = useStore(unfinished);
  const cut = kept.filter(({ sha256 }) => !list.some((upload) => upload.sha256 === sha256));
  if (list.length === 0 && cut.length === 0) return null;
  const left = list.filter(({ stage }) => stage !== "done").length;
  const ended = list.filter(({ stage }) => stage === "done");
  return (
    <div style={{ marginBottom: 16 }}>
      <Panel
        title={left > 0 ? `Uploading ${plural(left, "file")}` : "Uploads"}
        aside={
          ended.length > 0 && (
            <Button
              size="compact-xs"
              variant="subtle"
              color="gray"
              onClick={() => {
                for (const { id } of ended) dismissUpload(id);
              }}
            >
              Clear those that are done
            </Button>
          )
        }
      >
        <ul className="uploads">
          {list.map((upload) => (
            <Row key={upload.id} upload={upload} />
          ))}
          {cut.map((one) => (
            <CutOff key={one.sha256} one={one} />
          ))}
        </ul>
      </Panel>
    </div>
  );
}

function Row({ upload }: { upload: Upload }) {
  const { id, file, stage, done, result } = upload;
  return (
    <li className="upload">
      <div className="upload-name">
        {result ? (
          <Anchor component={Link} href={`/content/${result.contentId}`} size="sm">
            {file.name}
          </Anchor>
        ) : (
          <Text size="sm" truncate>
            {file.name}
          </Text>
        )}
        <Text size="xs" c="dimmed">
          {bytes(file.size)}
          {upload.sha256 && (
            <>
              {" · SHA-256 "}
              <code className="mono" title={upload.sha256}>
                {upload.sha256.slice(0, 12)}…
              </code>
            </>
          )}
        </Text>
      </div>
      <div>
        <Progress
          value={stage === "done" ? 100 : (done / Math.max(file.size, 1)) * 100}
          size="sm"
          aria-label={`Progress of ${file.name}`}
          color={stage === "failed" ? "red" : "teal"}
        />
        <Text size="xs" c="dimmed" mt={2} component="div" role="status">
          <StageWords upload={upload} />
        </Text>
      </div>
      <Group gap={4} wrap="nowrap" justify="flex-end">
        {(isUnderWay(upload) || stage === "waiting") && stage !== "checking" && (
          <ActionIcon aria-label={`Pause ${file.name}`} onClick={() => pauseUpload(id)}>
            <IconPlayerPause size={16} />
          </ActionIcon>
        )}
        {(stage === "paused" || stage === "failed") && (
          <ActionIcon aria-label={`Resume ${file.name}`} onClick={() => resumeUpload(id)}>
            <IconPlayerPlay size={16} />
          </ActionIcon>
        )}
        <ActionIcon aria-label={`Take ${file.name} off the list`} onClick={() => dismissUpload(id)}>
          <IconX size={16} />
        </ActionIcon>
      </Group>
    </li>
  );
}

function StageWords({ upload: { stage, done, file, error, result, resumedAt } }: { upload: Upload }) {
  const part = percent(done / Math.max(file.size, 1), 0);
  const resumed = resumedAt > 0 ? `, gone on from ${bytes(resumedAt)}` : "";
  switch (stage) {
    case "waiting":
      return "Waits for its turn";
    case "hashing":
      return `Taking its hash, ${part}`;
    case "sending":
      return `${bytes(done)} of ${bytes(file.size)}, ${part}${resumed}`;
    case "retrying":
      return <State value="warn">{`Cut off at ${part}; it goes on by itself. ${error?.title ?? ""}`}</State>;
    case "paused":
      return `Paused at ${part}`;
    case "checking":
      return "The server puts it together and checks the hash";
    case "failed":
      return <State value="bad">{error?.message ?? "It failed"}</State>;
    case "done":
      return (
        <State value="ok">{result?.existed ? "This file is here already" : `Uploaded${resumed}; the hash is the same on the server`}</State>
      );
  }
}

function CutOff({ one }: { one: Unfinished }) {
  const discard = async () => {
    try {
      await discardUnfinished(one);
      said(`Gave up ${one.name}`);
    } catch (error) {
      failed("Not deleted on the server", error);
    }
  };
  return (
    <li className="upload">
      <div className="upload-name">
        <Text size="sm" truncate>
          {one.name}
        </Text>
        <Text size="xs" c="dimmed">
          {bytes(one.bytes)}
        </Text>
      </div>
      <Text size="xs" component="div">
        <State value="warn">Cut off. Drop the same file here again, and it goes on where it was.</State>
      </Text>
      <Group justify="flex-end">
        <Button size="compact-xs" variant="default" onClick={() => void discard()}>
          Give up
        </Button>
      </Group>
    </li>
  );
}
