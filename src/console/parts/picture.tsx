import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "../api/client.ts";
import type { ApiError } from "../api/error.ts";

/** A picture of a screen, by its hash. It is fetched as who is signed in, and shown from memory. */
export function Picture({ sha256, label }: { sha256: string; label: string }) {
  const { data, error } = useQuery<Blob, ApiError>({
    queryKey: ["screenshot", sha256],
    queryFn: ({ signal }) => call("GET /v1/admin/screenshots/{sha256}", { path: { sha256 }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  if (error) {
    return (
      <Text size="sm" c="dimmed">
        The picture has not arrived yet. {error.message}
      </Text>
    );
  }
  return url === null ? (
    <Skeleton height={220} />
  ) : (
    <img src={url} alt={label} style={{ maxWidth: "100%", borderRadius: 4, border: "1px solid var(--line)", display: "block" }} />
  );
}
