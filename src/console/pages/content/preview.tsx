import { Text } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import { IconFile, IconMovie, IconPhoto, IconWorld } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { addressOf, send } from "../../api/client.ts";
import type { ApiError } from "../../api/error.ts";
import { bytes } from "../../parts/format.ts";
import type { Content, Version } from "./content.ts";

const ICONS = { image: IconPhoto, video: IconMovie, web: IconWorld };
const MB = 1_000_000;
/** What is larger is not fetched for a small picture. */
const THUMBNAIL_MAX_BYTES = { image: 10 * MB, video: 25 * MB, web: 0 };
const PLAYER_MAX_BYTES = 400 * MB;
const SOURCE_CHARACTERS = 4000;

/** Fetches a version's file as who is signed in. */
export async function fetchFile(contentId: string, versionId: string, signal?: AbortSignal): Promise<Blob> {
  const address = addressOf("/v1/admin/content/{id}/versions/{version_id}/file", { path: { id: contentId, version_id: versionId } });
  return await (await send("GET", address, { signal })).blob();
}

function useFile(version: Version | undefined, enabled: boolean) {
  return useQuery<Blob, ApiError>({
    queryKey: ["file", version?.sha256],
    queryFn: ({ signal }) => fetchFile(version?.content_id ?? "", version?.id ?? "", signal),
    enabled: enabled && version !== undefined && version.bytes !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A blob's address, for as long as it is shown. */
function useAddress(blob: Blob | undefined): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => {
      setAddress(undefined);
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return address;
}

/** A small picture of content, fetched when it comes into view; an icon where there is none. */
export function Thumbnail({ content, version }: { content: Pick<Content, "type">; version: Version | undefined }) {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const [broken, setBroken] = useState(false);
  const wanted = version !== undefined && (version.bytes ?? 0) <= THUMBNAIL_MAX_BYTES[content.type] && content.type !== "web";
  const file = useFile(version, inViewport && wanted);
  const address = useAddress(file.data);
  const Icon = version ? ICONS[content.type] : IconFile;
  return (
    <div ref={ref} className="thumbnail">
      {address && !broken && content.type === "image" && <img src={address} alt="" onError={() => setBroken(true)} />}
      {address && !broken && content.type === "video" && <video src={address} muted preload="metadata" onError={() => setBroken(true)} />}
      {(!address || broken) && <Icon size={28} stroke={1.3} aria-hidden />}
    </div>
  );
}

/** A version, to be looked at: the picture, the video with controls, a page's address or its source as text. */
export function Preview({ content, version }: { content: Content; version: Version }) {
  const [broken, setBroken] = useState(false);
  const large = (version.bytes ?? 0) > PLAYER_MAX_BYTES;
  const file = useFile(version, !large);
  const address = useAddress(file.data);
  if (version.bytes === null) return <Words>{version.url ? `Players load ${version.url}` : "No file of it is kept here."}</Words>;
  if (large) return <Words>With {bytes(version.bytes)} it is too large to be shown here. Download it to look at it.</Words>;
  if (file.error) return <Words>{file.error.message}</Words>;
  if (broken) return <Words>This browser cannot show it. Players may.</Words>;
  if (!file.data || !address) return <div className="preview" aria-busy />;
  if (content.type === "web") return <Source file={file.data} />;
  return (
    <div className="preview">
      {content.type === "image" ? (
        <img src={address} alt={content.name} onError={() => setBroken(true)} />
      ) : (
        <video src={address} controls muted loop onError={() => setBroken(true)} aria-label={content.name} />
      )}
    </div>
  );
}

/** A page's source as text: what somebody uploaded never runs here. */
function Source({ file }: { file: Blob }) {
  const [text, setText] = useState("");
  useEffect(() => {
    void file.slice(0, SOURCE_CHARACTERS).text().then(setText);
  }, [file]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
    <section className="source" aria-label="Source of the page" tabIndex={0}>
      <pre className="mono">{text}</pre>
      {file.size > SOURCE_CHARACTERS && <Text size="xs">… {bytes(file.size)} in all</Text>}
    </section>
  );
}

function Words({ children }: { children: React.ReactNode }) {
  return (
    <div className="preview">
      <Text size="sm" c="dimmed" ta="center" maw={360} p="md">
        {children}
      </Text>
    </div>
  );
}
